why  = "the same machine, and root at it"
like = ["debian"]
user = "root"
uid  = 0
home = "/root"

files = {
  "/root/app/" = ""
}

env = {
  HOME = "/root"
}
