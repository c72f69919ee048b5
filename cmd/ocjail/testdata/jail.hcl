command = ["sh"]
system  = true
network = false

tmpfs "/tmp" {}
tmpfs "~" {}

project { access = "rw" }
