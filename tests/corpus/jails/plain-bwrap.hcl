why     = "a person's own script with bwrap, careful in everything"
machine = "debian"
setup   = "git init -q"
base    = true
argv    = "--ro-bind /etc/ssl/certs /etc/ssl/certs --ro-bind /etc/resolv.conf /etc/resolv.conf --setenv HOME ~"

infos = ["caps/nested-namespaces", "exec/host-executed-writable", "net/host-network"]
