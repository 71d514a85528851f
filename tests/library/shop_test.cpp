// A team's acceptance tests: `web` counts its visitors in /data, and reads /conf.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rogate/gtest.hpp>

namespace {

// The body of a page of 127.0.0.1:port; empty: there is none.
std::string get(const std::string& endpoint, const std::string& path) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.find(':') + 1))));
    inet_pton(AF_INET, endpoint.substr(0, endpoint.find(':')).c_str(), &address.sin_addr);
    const int connection = socket(AF_INET, SOCK_STREAM, 0);
    std::string answer;
    if (connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
        const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
        char part[4096];
        if (write(connection, request.data(), request.size()) > 0)
            for (ssize_t got = 0; (got = read(connection, part, sizeof part)) > 0;)
                answer.append(part, static_cast<std::size_t>(got));
    }
    close(connection);
    const std::size_t body = answer.find("\r\n\r\n");
    return body == std::string::npos ? "" : answer.substr(body + 4);
}

}  // namespace

ROGATE_SYSTEM(Shop, "compose.yaml");

TEST_F(Shop, CountsVisitors) {
    const std::string first = get(endpoint("web", 8080), "/visit"),
                      second = get(endpoint("web", 8080), "/visit");
    EXPECT_NE(first, "");
    EXPECT_NE(first, second);
}

TEST_F(Shop, HasAName) {
    EXPECT_EQ(get(endpoint("web", 8080), "/name"), "books");
}

TEST_F(ShopVerdicts, ConfigurationIsNotWritten) {
    EXPECT_SAFE_READ_ONLY("web", "/conf");
}

TEST_F(ShopVerdicts, VisitorsAreKept) {
    EXPECT_VERDICT("web", "/data", required);
}

// That it fails is what is tested.
TEST_F(ShopVerdicts, IsWrongOnPurpose) {
    EXPECT_SAFE_READ_ONLY("web", "/data");
}
