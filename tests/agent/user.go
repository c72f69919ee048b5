package agent

import (
	"fmt"
	"os"
	"syscall"
)

// rootStandIn is the uid and gid that the agent runs as when the test runs as
// root: nobody works as root, and ocjail drops root's rights, so root would
// not show what a developer's launch does. No account has this number.
const rootStandIn = 54321

// user is who the agent runs as.
type user struct{ uid, gid int }

// agentUser is the caller, or the stand-in for root.
func agentUser() user {
	if os.Geteuid() == 0 {
		return user{rootStandIn, rootStandIn}
	}
	return user{os.Geteuid(), os.Getegid()}
}

// attr makes a command run as the user, in a session of its own: without a
// controlling terminal nothing can be typed into the caller's.
func (u user) attr() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		a.Credential = &syscall.Credential{Uid: uint32(u.uid), Gid: uint32(u.gid)}
	}
	return a
}

// passwd is a passwd(5) that gives the user the world's home, which is where
// ocjail takes the home from.
func (u user) passwd() string {
	return fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\ndev:x:%d:%d:Dev:%s:/bin/bash\n", u.uid, u.gid, homeDir)
}
