package gate

import (
	"encoding/binary"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// abi is a system-call table that a process of this machine may use.
type abi struct {
	arch  uint32 // AUDIT_ARCH_*, as seccomp(2) shows it
	ioctl uint32
	// socket and, where there is one, socketcall, which takes its arguments in
	// memory that a filter can not see (socketcall(2)).
	socket, socketcall uint32
	x32                bool // numbers with bit 30 set belong to the x32 ABI
}

// abis lists, for each GOARCH, its own table and those of its compatibility
// modes. A filter that knows only the first is walked around by a 32-bit program.
var abis = map[string][]abi{
	"amd64": {{arch: unix.AUDIT_ARCH_X86_64, ioctl: 16, socket: 41, x32: true}, {arch: unix.AUDIT_ARCH_I386, ioctl: 54, socket: 359, socketcall: 102}},
	"arm64": {{arch: unix.AUDIT_ARCH_AARCH64, ioctl: 29, socket: 198}, {arch: unix.AUDIT_ARCH_ARM, ioctl: 54, socket: 281}},
}

// terminalRequests are the ioctls that put text into the input of the terminal,
// which the shell outside then runs (ioctl_tty(2), CVE-2017-5226 for bwrap;
// TIOCLINUX pastes on a virtual console, CVE-2023-28100 for flatpak).
var terminalRequests = []uint32{unix.TIOCSTI, 0x541c /* TIOCLINUX */}

// socketcallSocket is socketcall's number for socket (linux/net.h).
const socketcallSocket = 1

// Offsets in struct seccomp_data (seccomp(2)). The kernel compares the low half
// of an ioctl request only, so the filter does too (CVE-2019-10063).
const (
	offNumber  = 0
	offArch    = 4
	offFirst   = 16
	offRequest = 16 + 8
)

// jailFilter returns a classic BPF program, as bwrap's --add-seccomp-fd reads it.
// It refuses sockets of AF_VSOCK, which reach the hypervisor or its guests beside
// every network namespace (vsock(7)), and with terminal also terminalRequests. It
// kills programs of tables that it does not know. 32-bit programs of x86 that
// make sockets by socketcall get ENOSYS, for which family can not be told, and so
// does everybody for io_uring, which makes sockets past every filter
// (IORING_OP_SOCKET, Linux 5.19); Docker's default profile refuses it as well.
func jailFilter(terminal bool) ([]byte, error) {
	tables, ok := abis[runtime.GOARCH]
	if !ok {
		return nil, fmt.Errorf("no seccomp filter for %s: use --new-session", runtime.GOARCH)
	}
	var p program
	for _, t := range tables {
		p.table(t, terminal)
	}
	p.add(ret, 0, 0, unix.SECCOMP_RET_KILL_PROCESS)
	return p.bytes(), nil
}

const (
	load = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	jeq  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	jge  = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	ret  = unix.BPF_RET | unix.BPF_K
)

func refuse(e unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(e) }

type program []unix.SockFilter

func (p *program) add(code uint16, jt, jf uint8, k uint32) {
	*p = append(*p, unix.SockFilter{Code: code, Jt: jt, Jf: jf, K: k})
}

// table adds the checks for one table, skipped as a whole when the architecture
// is another.
func (p *program) table(t abi, terminal bool) {
	var own program
	if t.x32 {
		own.add(load, 0, 0, offNumber)
		own.add(jge, 0, 1, 1<<30)
		own.add(ret, 0, 0, refuse(unix.ENOSYS))
	}
	own.call(t.socket, offFirst, refuse(unix.EAFNOSUPPORT), unix.AF_VSOCK)
	if t.socketcall != 0 {
		own.call(t.socketcall, offFirst, refuse(unix.ENOSYS), socketcallSocket)
	}
	own.call(unix.SYS_IO_URING_SETUP, offNumber, refuse(unix.ENOSYS), unix.SYS_IO_URING_SETUP)
	if terminal {
		own.call(t.ioctl, offRequest, refuse(unix.EPERM), terminalRequests...)
	}
	own.add(ret, 0, 0, unix.SECCOMP_RET_ALLOW)
	p.add(load, 0, 0, offArch)
	p.add(jeq, 0, uint8(len(own)), t.arch)
	*p = append(*p, own...)
}

// call adds: the system call number is answered with the action where the
// argument at offset is one of values, else allowed.
func (p *program) call(number, offset, action uint32, values ...uint32) {
	n := uint8(len(values))
	p.add(load, 0, 0, offNumber)
	p.add(jeq, 0, n+3, number)
	p.add(load, 0, 0, offset)
	for i, v := range values {
		p.add(jeq, n-uint8(i), 0, v)
	}
	p.add(ret, 0, 0, unix.SECCOMP_RET_ALLOW)
	p.add(ret, 0, 0, action)
}

func (p program) bytes() []byte {
	var b []byte
	for _, f := range p {
		b = binary.NativeEndian.AppendUint16(b, f.Code)
		b = append(b, f.Jt, f.Jf)
		b = binary.NativeEndian.AppendUint32(b, f.K)
	}
	return b
}

// CanFilter tells whether a launch here would add the filter.
func CanFilter() bool { return abis[runtime.GOARCH] != nil }
