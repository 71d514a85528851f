// What an audit looks like, in every format, as a person has looked at it.
#include "audit/render.hpp"

#include "unit/golden.hpp"

namespace rogate::audit {
namespace {

Audit whole() {
    Audit audit;
    read_text(R"(services:
  web:
    image: nginx:1
    read_only: true
    volumes:
      - ./html:/usr/share/nginx/html
      - "${CONF:-./c}:/etc/nginx:ro"
      - cache:/var/cache/nginx
      - /var/run/docker.sock:/var/run/docker.sock
      - "./odd|`name`<b>:/srv/a|b`<i>"
    tmpfs: /run:size=1m
)",
              "compose.yaml", audit);
    read_text(R"(apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  template:
    spec:
      containers:
        - name: app
          image: shop:2
          volumeMounts:
            - {name: conf, mountPath: /etc/shop}
            - {name: data, mountPath: /var/lib/shop}
      volumes:
        - {name: conf, configMap: {name: shop}}
        - {name: data, persistentVolumeClaim: {claimName: data}}
)",
              "k8s/shop.yaml", audit);
    read_text("FROM debian\nVOLUME /var/log/app\n", "Dockerfile", audit);
    read_text("services:\n  a: [\n", "broken.yaml", audit);
    audit.files = 4;
    classify(audit);
    return audit;
}

TEST(AuditFormats, AreAsSomebodyHasLookedAtThem) {
    using test::expect_golden;
    expect_golden("audit.txt", render_table(whole()));
    expect_golden("audit.md", render_markdown(whole()));
    expect_golden("audit.json", render_json(whole()));
    expect_golden("audit.sarif", render_sarif(whole()));
}

}  // namespace
}  // namespace rogate::audit
