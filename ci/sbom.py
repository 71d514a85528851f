#!/usr/bin/python3
"""sbom.py PROGRAM VERSION EPOCH: an SPDX 2.3 document of the program and of the Debian packages whose code it holds."""
import datetime
import hashlib
import json
import re
import subprocess
import sys

# Linked into the program, or headers whose code is in it.
HELD = ["libarchive-dev", "libboost1.81-dev", "libcli11-dev", "nlohmann-json3-dev", "rapidjson-dev", "libexpected-dev", "libbpf-dev",
        "libelf-dev", "zlib1g-dev", "libc6-dev", "libssl-dev", "libyaml-cpp-dev", "libfmt-dev", "libexpat1-dev", "libstdc++-12-dev"]


def output(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def package(name):
    version, homepage = output("dpkg-query", "-W", "-f", "${Version}\t${Homepage}", name).split("\t")
    return {"SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name), "name": name, "versionInfo": version,
            "supplier": "Organization: Debian", "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION",
            **({"homepage": homepage} if homepage else {}),
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                              "referenceLocator": f"pkg:deb/debian/{name}@{version}"}]}


def main():
    program, version, epoch = sys.argv[1:]
    with open(program, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    others = [package(name) for name in sorted(HELD)]
    own = {"SPDXID": "SPDXRef-rogate", "name": "rogate", "versionInfo": version, "supplier": "NOASSERTION",
           "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "licenseConcluded": "Apache-2.0",
           "licenseDeclared": "Apache-2.0", "copyrightText": "NOASSERTION",
           "checksums": [{"algorithm": "SHA256", "checksumValue": digest}]}
    relations = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-rogate"}]
    relations += [{"spdxElementId": "SPDXRef-rogate",
                   "relationshipType": "STATIC_LINK", "relatedSpdxElement": each["SPDXID"]} for each in others]
    created = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    json.dump({"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"rogate-{version}",
               "documentNamespace": f"https://rogate.dev/spdx/rogate-{version}-{digest[:16]}",
               "creationInfo": {"created": created, "creators": ["Tool: ci/sbom.py"]}, "packages": [own, *others],
               "relationships": relations}, sys.stdout, indent=1, ensure_ascii=False)
    print()


main()
