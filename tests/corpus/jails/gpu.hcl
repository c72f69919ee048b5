why     = "a GPU for local models: the render node alone, as Mesa and ROCm need it"
machine = "debian"
setup   = "git init -q"
argv    = "--dev-bind /dev/dri /dev/dri --ro-bind /sys /sys"
base    = true
files   = { "/sys/class/drm/" = "" }

infos = ["caps/nested-namespaces", "exec/host-executed-writable", "net/host-network"]
