why     = "a company's certificates, named by a variable and bound read-only"
machine = "debian"
files   = { "/opt/corp/ca.pem" = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" }
env     = { NODE_EXTRA_CA_CERTS = "/opt/corp/ca.pem" }
setup   = "git init -q"
like    = "default-debian"
profile = "opencode"
