package gate

import (
	"encoding/binary"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// interpret runs a classic BPF program as the kernel would (seccomp(2), bpf(4)),
// as far as jailFilter uses it.
func interpret(t *testing.T, code []byte, data []byte) uint32 {
	t.Helper()
	var acc uint32
	for pc := 0; ; pc++ {
		if pc >= len(code)/8 {
			t.Fatal("the program runs off its end")
		}
		f := code[pc*8:]
		op, jt, jf, k := binary.NativeEndian.Uint16(f), int(f[2]), int(f[3]), binary.NativeEndian.Uint32(f[4:])
		branch := func(yes bool) {
			if yes {
				pc += jt
			} else {
				pc += jf
			}
		}
		switch op {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			acc = binary.NativeEndian.Uint32(data[k:])
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			branch(acc == k)
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			branch(acc >= k)
		case unix.BPF_RET | unix.BPF_K:
			return k
		default:
			t.Fatalf("instruction %d: unknown code %#x", pc, op)
		}
	}
}

// call is struct seccomp_data of a call with these arguments.
func call(arch, nr uint32, first, request uint64) []byte {
	data := binary.NativeEndian.AppendUint32(nil, nr)
	data = binary.NativeEndian.AppendUint32(data, arch)
	data = binary.NativeEndian.AppendUint64(data, 0x7f0000001000) // instruction pointer
	for _, arg := range []uint64{first, request, 1 << 40, 0, 0, 0} {
		data = binary.NativeEndian.AppendUint64(data, arg)
	}
	return data
}

func TestJailFilter(t *testing.T) {
	const (
		allow  = unix.SECCOMP_RET_ALLOW
		deny   = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
		none   = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
		kill   = unix.SECCOMP_RET_KILL_PROCESS
		x32Bit = 1 << 30
	)
	code, err := jailFilter(true)
	if err != nil {
		t.Fatal(err)
	}
	own := map[string]map[uint32]uint32{ // architecture to ioctl's number
		"amd64": {unix.AUDIT_ARCH_X86_64: 16, unix.AUDIT_ARCH_I386: 54},
		"arm64": {unix.AUDIT_ARCH_AARCH64: 29, unix.AUDIT_ARCH_ARM: 54},
	}[runtime.GOARCH]
	if unix.SYS_IOCTL != own[map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}[runtime.GOARCH]] {
		t.Error("ioctl has another number here")
	}
	check := func(arch, nr uint32, request uint64, want uint32) {
		t.Helper()
		if got := interpret(t, code, call(arch, nr, 0, request)); got != want {
			t.Errorf("architecture %#x, call %d, request %#x: %#x, want %#x", arch, nr, request, got, want)
		}
	}
	for arch, ioctl := range own {
		for _, high := range []uint64{0, 1 << 32, 0xffffffff << 32} {
			check(arch, ioctl, high|unix.TIOCSTI, deny)
			check(arch, ioctl, high|0x541c, deny)
			for _, harmless := range []uint64{0, unix.TIOCSTI - 1, unix.TIOCSTI + 1, unix.TCGETS, unix.TIOCGWINSZ, 0xffffffff} {
				check(arch, ioctl, high|harmless, allow)
			}
		}
		check(arch, unix.SYS_IO_URING_SETUP, 0, none)
		for nr := range uint32(1000) {
			if nr != ioctl && nr != unix.SYS_IO_URING_SETUP {
				check(arch, nr, unix.TIOCSTI, allow)
			}
		}
		if arch == unix.AUDIT_ARCH_X86_64 {
			for _, nr := range []uint32{x32Bit, x32Bit | 514, x32Bit | 16, 1<<31 | 16, 0xffffffff} {
				check(arch, nr, unix.TIOCSTI, none)
			}
		}
	}
	for _, arch := range []uint32{0, unix.AUDIT_ARCH_PPC64, unix.AUDIT_ARCH_MIPS, 0xffffffff} {
		if own[arch] == 0 {
			check(arch, unix.SYS_IOCTL, unix.TCGETS, kill)
		}
	}
}

// AF_VSOCK can not be had in any table, other families can.
func TestJailFilterOnSockets(t *testing.T) {
	numbers := map[string]map[uint32]uint32{ // architecture to socket's number
		"amd64": {unix.AUDIT_ARCH_X86_64: 41, unix.AUDIT_ARCH_I386: 359},
		"arm64": {unix.AUDIT_ARCH_AARCH64: 198, unix.AUDIT_ARCH_ARM: 281},
	}[runtime.GOARCH]
	for _, terminal := range []bool{false, true} {
		code, err := jailFilter(terminal)
		if err != nil {
			t.Fatal(err)
		}
		answer := func(arch, nr uint32, family uint64) uint32 {
			return interpret(t, code, call(arch, nr, family, unix.TIOCSTI))
		}
		for arch, socket := range numbers {
			for _, high := range []uint64{0, 1 << 32} {
				if got := answer(arch, socket, high|unix.AF_VSOCK); got != refuse(unix.EAFNOSUPPORT) {
					t.Errorf("architecture %#x: AF_VSOCK is answered with %#x", arch, got)
				}
			}
			for _, family := range []uint64{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK} {
				if got := answer(arch, socket, family); got != unix.SECCOMP_RET_ALLOW {
					t.Errorf("architecture %#x: family %d is answered with %#x", arch, family, got)
				}
			}
		}
		if runtime.GOARCH == "amd64" {
			if got := answer(unix.AUDIT_ARCH_I386, 102, socketcallSocket); got != refuse(unix.ENOSYS) {
				t.Errorf("socketcall's socket is answered with %#x", got)
			}
			if got := answer(unix.AUDIT_ARCH_I386, 102, 3); got != unix.SECCOMP_RET_ALLOW {
				t.Errorf("socketcall's connect is answered with %#x", got)
			}
			ioctl := map[bool]uint32{false: unix.SECCOMP_RET_ALLOW, true: refuse(unix.EPERM)}[terminal]
			if got := answer(unix.AUDIT_ARCH_X86_64, 16, 0); got != ioctl {
				t.Errorf("TIOCSTI is answered with %#x", got)
			}
		}
	}
}
