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
	x32   bool // numbers with bit 30 set belong to the x32 ABI
}

// abis lists, for each GOARCH, its own table and those of its compatibility
// modes. A filter that knows only the first is walked around by a 32-bit program.
var abis = map[string][]abi{
	"amd64": {{arch: unix.AUDIT_ARCH_X86_64, ioctl: 16, x32: true}, {arch: unix.AUDIT_ARCH_I386, ioctl: 54}},
	"arm64": {{arch: unix.AUDIT_ARCH_AARCH64, ioctl: 29}, {arch: unix.AUDIT_ARCH_ARM, ioctl: 54}},
}

// terminalRequests are the ioctls that put text into the input of the terminal,
// which the shell outside then runs (ioctl_tty(2), CVE-2017-5226 for bwrap;
// TIOCLINUX pastes on a virtual console, CVE-2023-28100 for flatpak).
var terminalRequests = []uint32{unix.TIOCSTI, 0x541c /* TIOCLINUX */}

// Offsets in struct seccomp_data (seccomp(2)). The kernel compares the low half
// of an ioctl request only, so the filter does too (CVE-2019-10063).
const (
	offNumber  = 0
	offArch    = 4
	offRequest = 16 + 8
)

// terminalFilter returns a classic BPF program, as bwrap's --add-seccomp-fd
// reads it, that refuses terminalRequests with EPERM and kills programs of
// tables that it does not know.
func terminalFilter() ([]byte, error) {
	tables, ok := abis[runtime.GOARCH]
	if !ok {
		return nil, fmt.Errorf("no seccomp filter against TIOCSTI for %s: use --new-session", runtime.GOARCH)
	}
	var p program
	for _, t := range tables {
		p.table(t)
	}
	p.add(unix.BPF_RET|unix.BPF_K, 0, 0, unix.SECCOMP_RET_KILL_PROCESS)
	return p.bytes(), nil
}

type program []unix.SockFilter

func (p *program) add(code uint16, jt, jf uint8, k uint32) {
	*p = append(*p, unix.SockFilter{Code: code, Jt: jt, Jf: jf, K: k})
}

// table adds the checks for one table: eleven instructions, skipped as a whole
// when the architecture is another.
func (p *program) table(t abi) {
	const load, jeq, jge, ret = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	x32 := uint32(1 << 30)
	if !t.x32 {
		x32 = ^uint32(0)
	}
	p.add(load, 0, 0, offArch)
	p.add(jeq, 0, 9, t.arch)
	p.add(load, 0, 0, offNumber)
	p.add(jge, 6, 0, x32)
	p.add(jeq, 0, 4, t.ioctl)
	p.add(load, 0, 0, offRequest)
	p.add(jeq, 1, 0, terminalRequests[0])
	p.add(jeq, 0, 1, terminalRequests[1])
	p.add(ret, 0, 0, unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM))
	p.add(ret, 0, 0, unix.SECCOMP_RET_ALLOW)
	p.add(ret, 0, 0, unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS))
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
