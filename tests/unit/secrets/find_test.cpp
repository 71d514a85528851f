#include <gmock/gmock.h>

#include "base/masker.hpp"
#include "secrets/forms.hpp"
#include "secrets/names.hpp"
#include "secrets/text.hpp"

namespace rogate::secrets {
namespace {

using testing::Contains;
using testing::Key;
using testing::Not;

bool is_secret(const Secrets& found, const std::string& text) {
    const auto at = found.find(text);
    return at != found.end() && at->second == SecretKind::secret;
}

TEST(Names, OfCredentials) {
    for (const char* name : {"PASSWORD",
                             "DB_PASSWORD",
                             "MYSQL_ROOT_PASSWORD",
                             "PGPASSWORD",
                             "MYSQL_PWD",
                             "dbPassword",
                             "--password",
                             "-passwd",
                             "API_KEY",
                             "X-Api-Key",
                             "TLS_KEY",
                             "SECRET_KEY_BASE",
                             "AWS_SECRET_ACCESS_KEY",
                             "AWS_ACCESS_KEY_ID",
                             "GITHUB_TOKEN",
                             "authToken",
                             "Authorization",
                             "Proxy-Authorization",
                             "SENTRY_DSN",
                             "requirepass",
                             "masterauth",
                             "AUTH_SALT",
                             "JWT",
                             "passphrase",
                             "credentials",
                             "--token",
                             "client_secret",
                             "REDIS_PASS",
                             "PASSWORD1"})
        EXPECT_TRUE(is_credential_name(name)) << name;
    for (const char* name : {"PASSWORD_FILE",
                             "POSTGRES_PASSWORD_FILE",
                             "--password-file",
                             "--password-stdin",
                             "TOKEN_URL",
                             "KEY_PATH",
                             "PGDATA",
                             "HOME",
                             "LANG",
                             "APP",
                             "PWD",
                             "OLDPWD",
                             "MONKEY",
                             "KEYBOARD",
                             "--token-ttl",
                             "no-password",
                             "PUBLIC_KEY",
                             "USER",
                             "AUTH_METHOD",
                             "keyspace",
                             "bypass",
                             "PATH",
                             "ssh-keygen",
                             "TOKENIZER"})
        EXPECT_FALSE(is_credential_name(name)) << name;
}

TEST(Values, ThatArePaths) {
    for (const char* value : {"/run/secrets/key", "./key.pem", "../x", "~/k", "/etc/ssl/private/server.key"})
        EXPECT_TRUE(is_path_like(value)) << value;
    for (const char* value :
         {"hunter22", "//x", "/9j4AAQSkZJRgABAQEAYABgAAD", "https://x/y", "/a b\n", "a/b"})
        EXPECT_FALSE(is_path_like(value)) << value;
}

TEST(Text, HasCredentialsByTheirNameOrForm) {
    struct Case {
        const char* text;
        std::vector<const char*> secrets, none;
    };
    for (const Case& each : std::vector<Case>{
             {"postgres://app:UrlSecret4711@db:5432/shop",
              {"UrlSecret4711", "app:UrlSecret4711"},
              {"shop", "5432"}},
             {"amqp://u:p%40ss%2Fword@h/", {"p%40ss%2Fword", "p@ss/word"}, {}},
             {"redis://:only-pass@h:6379/0", {"only-pass"}, {"6379/0"}},
             {"mongodb://u:pass1234@h1:1,h2:2/db", {"pass1234"}, {"h1:1"}},
             {"postgres://app:sl/ash#1@db/shop", {"sl/ash#1"}, {}},
             {"see http://host:8080/a@b and more", {}, {"8080", "8080/a"}},
             {"jdbc:mysql://h/db?user=app&password=Query4711&ssl=true", {"Query4711"}, {"app", "true"}},
             {"jdbc:oracle:thin:scott/tiger77@//h:1521/x", {"tiger77"}, {}},
             {"app:Dsn4711@tcp(db:3306)/shop", {"Dsn4711"}, {}},
             {"https://host/?token=abc123def&x=y", {"abc123def"}, {}},
             {R"({"user": "app", "password": "a\"b\nc"})", {R"(a\"b\nc)", "a\"b\nc"}, {"user"}},
             {R"(--data={\"api_key\":\"Json4711\"})", {"Json4711"}, {}},
             {"password = Ini4711\nuser = app", {"Ini4711"}, {}},
             {"token: Yaml4711", {"Yaml4711"}, {}},
             {"<password>Xml4711</password>", {"Xml4711"}, {}},
             {"Authorization: Bearer Header4711.part", {"Header4711.part"}, {"Bearer"}},
             {"Authorization: Basic dXNlcjpCYXNpYzQ3MTE=", {"dXNlcjpCYXNpYzQ3MTE=", "Basic4711"}, {}},
             {"ghp_0123456789abcdefghij0123456789", {"ghp_0123456789abcdefghij0123456789"}, {}},
             {"password_file=/run/secrets/db", {}, {"/run/secrets/db"}},
             {"password=$DB_PASSWORD", {}, {"$DB_PASSWORD"}},
             {"listening on 0.0.0.0:8080, state: ready", {}, {"8080", "ready"}}}) {
        Secrets found;
        find_in_text(each.text, found);
        for (const char* secret : each.secrets)
            EXPECT_TRUE(is_secret(found, secret)) << each.text << ": " << secret;
        for (const char* none : each.none) EXPECT_FALSE(is_secret(found, none)) << each.text << ": " << none;
    }
}

TEST(Text, HasPrivateKeysButNotPublicOnes) {
    const std::string key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----";
    Secrets found;
    find_in_text("x " + key + " y", found);
    EXPECT_TRUE(is_secret(found, key));
    found.clear();
    find_in_text("-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----", found);
    EXPECT_TRUE(found.empty());
}

TEST(Header, HasParts) {
    struct Case {
        const char* value;
        std::vector<const char*> secrets;
    };
    for (const Case& each : std::vector<Case>{
             {"Bearer abcdefgh.1", {"Bearer abcdefgh.1", "abcdefgh.1"}},
             {"Basic dXNlcjpwYXNzdzByZA==", {"dXNlcjpwYXNzdzByZA==", "passw0rd", "user:passw0rd"}},
             {"session=0123456789; csrf=abcdefghij; Path=/x", {"0123456789", "abcdefghij"}},
             {"Token token=\"t0ken-4711\"", {"t0ken-4711"}},
             {"bare4711", {"bare4711"}}}) {
        Secrets found;
        find_in_header(each.value, found);
        for (const char* secret : each.secrets)
            EXPECT_TRUE(is_secret(found, secret)) << each.value << ": " << secret;
        EXPECT_THAT(found, Not(Contains(Key("Bearer"))));
    }
}

TEST(Command, HasWordsThatAreGivenAsCredentials) {
    struct Case {
        std::vector<std::string> words;
        std::vector<const char*> secrets, none;
    };
    for (const Case& each : std::vector<Case>{
             {{"app", "--password=Arg4711,;x"}, {"Arg4711,;x"}, {}},
             {{"app", "--password", "Next4711", "run"}, {"Next4711"}, {"run"}},
             {{"app", "--token", "--verbose"}, {}, {"--verbose"}},
             {{"app", "--password-file", "/run/secrets/db"}, {}, {"/run/secrets/db"}},
             {{"app", "--tls-key", "/data/tls/server.key"}, {}, {"/data/tls/server.key"}},
             {{"mysql", "-uroot", "-pAttached4711", "-e", "select 1"}, {"Attached4711"}, {}},
             {{"ssh", "-p2222", "host"}, {}, {"2222"}},
             {{"docker", "run", "-p", "8080:80", "nginx"}, {}, {}},
             {{"redis-cli", "-a", "Redis4711", "ping"}, {"Redis4711"}, {"ping"}},
             {{"/usr/bin/curl", "-u", "user:Curl4711", "http://h/"}, {"Curl4711", "user:Curl4711"}, {}},
             {{"curl", "-H", "Authorization: Bearer Head4711", "http://h"}, {"Head4711"}, {}},
             {{"curl", "-H", "X-Api-Key:Key4711"}, {"Key4711"}, {}},
             {{"sh", "-c", "PGPASSWORD=Env4711 psql -h db"}, {"Env4711"}, {"psql"}},
             {{"sh", "-c", "set -e; mysql -u root -p'Quoted 4711' shop"}, {"Quoted 4711"}, {"shop"}},
             {{"sh", "-c", "app --token \"Tok4711\" && curl -u \"u:In4711\" x"}, {"Tok4711", "In4711"}, {}},
             {{"bash", "-c", "curl -d '{\"password\": \"Body4711\"}' http://h"}, {"Body4711"}, {}},
             {{"sh", "-c", "app --password \"$DB_PASSWORD\""}, {}, {"$DB_PASSWORD"}},
             {{"CMD-SHELL", "redis-cli -a Health4711 ping"}, {"Health4711"}, {"ping"}},
             {{"openssl", "rsa", "-passin", "pass:Pem4711"}, {"Pem4711"}, {}},
             {{"sshpass", "-p", "Ssh4711", "ssh", "h"}, {"Ssh4711"}, {}},
             {{"psql", "postgres://a:Url4711@h/db"}, {"Url4711"}, {}},
             {{"redis-server", "--requirepass", "Req4711"}, {"Req4711"}, {}},
             {{"app", "-password", "Single4711"}, {"Single4711"}, {}}}) {
        Secrets found;
        find_in_command(each.words, found);
        for (const char* secret : each.secrets)
            EXPECT_TRUE(is_secret(found, secret)) << each.words.back() << ": " << secret;
        for (const char* none : each.none)
            EXPECT_FALSE(is_secret(found, none)) << each.words.back() << ": " << none;
    }
}

TEST(Secret, ContentIsOneAndSoAreItsFields) {
    struct Case {
        const char* content;
        std::vector<const char*> secrets;
    };
    for (const Case& each :
         std::vector<Case>{{"FileSecret4711\n", {"FileSecret4711"}},
                           {"DB_USER=shop\nDB_CODE=FieldSecret4711\n", {"FieldSecret4711"}},
                           {R"({"a": {"b": "JsonSecret4711"}})", {"JsonSecret4711"}},
                           {"postgres://app:InFile4711@db/x", {"InFile4711"}},
                           {"db:5432:shop:app:PgPass4711", {"PgPass4711"}},
                           {"machine h login u password Netrc4711", {"Netrc4711"}},
                           {R"({"auths": {"r": {"auth": "dXNlcjpSZWc0NzExeHg="}}})",
                            {"Reg4711xx", "dXNlcjpSZWc0NzExeHg="}}}) {
        Secrets found;
        find_in_secret(each.content, found);
        for (const char* secret : each.secrets)
            EXPECT_TRUE(is_secret(found, secret)) << each.content << ": " << secret;
    }
}

TEST(Forms, OfOneValue) {
    const auto shows = [](const std::string& value, const std::string& text,
                          SecretKind kind = SecretKind::secret) {
        Secrets one;
        add_secret(one, value, kind);
        return Masker(with_forms(one)).masked(text);
    };
    const std::string key = "-----BEGIN KEY-----\nfirst-line-here\nsec\n-----END KEY-----\n";
    for (const auto& [text, masked] : std::vector<std::pair<std::string, std::string>>{
             {"x " + key + " y", "x *** y"},
             {"x -----BEGIN KEY-----\r\nfirst-line-here\r\nsec\r\n-----END KEY----- y", "x *** y"},
             {R"("-----BEGIN KEY-----\nfirst-line-here\nsec\n-----END KEY-----\n")", R"("***")"},
             {"only first-line-here", "only ***"},
             {"-----BEGIN KEY----- first-line-here", "*** ***"}})
        EXPECT_EQ(shows(key, text), masked) << text;
    EXPECT_EQ(shows("p@ss/w \"x\"", "p%40ss%2Fw%20%22x%22 p%40ss%2fw+%22x%22"), "*** ***");
    EXPECT_EQ(shows("p@ss/w \"x\"", R"(p@ss/w \"x\" and p@ss\/w \"x\")"), "*** and ***");
    EXPECT_EQ(shows("a<b>&c", "a&lt;b&gt;&amp;c"), "***");
    EXPECT_EQ(shows("it's me", R"('it'\''s me')"), "'***'");
    EXPECT_EQ(shows("passwörd", R"(passw\u00f6rd)"), "***");
    EXPECT_EQ(shows("Secret4711", "U2VjcmV0NDcxMQ== U2VjcmV0NDcxMQ"), "***== ***");
    // A variable's value loses no facts: only the whole of it, and long lines, are masked.
    EXPECT_EQ(shows("Value4711", "VmFsdWU0NzEx", SecretKind::environment), "VmFsdWU0NzEx");
    EXPECT_EQ(shows("if true\nexit 0\nfi", "fi\nexit 0", SecretKind::environment), "fi\nexit 0");
}

TEST(Base64, IsItsOwnInverse) {
    for (std::string text; text.size() < 20; text += static_cast<char>(text.size() * 37 + 250)) {
        const std::string encoded = base64(text);
        EXPECT_EQ(encoded.size() % 4, 0U);
        if (text.empty()) continue;
        EXPECT_EQ(from_base64(encoded), text);
    }
    EXPECT_EQ(from_base64("no base64!"), std::nullopt);
}

}  // namespace
}  // namespace rogate::secrets
