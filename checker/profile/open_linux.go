package profile

import "golang.org/x/sys/unix"

const openPath = unix.O_PATH
