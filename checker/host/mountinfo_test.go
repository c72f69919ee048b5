package host

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

func TestParseMountinfo(t *testing.T) {
	const text = `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
37 36 0:40 /a\040b /mnt\0402/tab\011nl\012back\134slash ro,nosuid,nodev shared:7 master:2 propagate_from:1 future:x - tmpfs  ro,size=4k
38 36 0:41 net:[4026531840] /run/ns rw unbindable - nsfs nsfs\043x rw
39 36 0:42 / /ropes rw,rodent - fuse.sshfs a:/b rw,user_id=0 odd
`
	want := []sandbox.HostMount{
		{ID: 36, Parent: 35, Major: 98, Root: "/mnt1", Point: "/mnt2", FSType: "ext3", Source: "/dev/root", Shared: true},
		{ID: 37, Parent: 36, Minor: 40, Root: "/a b", Point: "/mnt 2/tab\tnl\nback\\slash", ReadOnly: true, SuperRO: true,
			NoDev: true, FSType: "tmpfs", Shared: true},
		{ID: 38, Parent: 36, Minor: 41, Root: "net:[4026531840]", Point: "/run/ns", FSType: "nsfs", Source: "nsfs#x"},
		{ID: 39, Parent: 36, Minor: 42, Root: "/", Point: "/ropes", FSType: "fuse.sshfs", Source: "a:/b"},
	}
	got, err := ParseMountInfo([]byte(text))
	check(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseMountinfoRefuses(t *testing.T) {
	const good = "36 35 98:0 / /m rw - ext3 /dev/root rw\n"
	for name, line := range map[string]string{
		"cut line":       strings.TrimSuffix(good, "\n"),
		"no separator":   "36 35 98:0 / /m rw ext3 /dev/root rw\n",
		"no options":     "36 35 98:0 / /m rw - ext3 /dev/root\n",
		"few fields":     "36 35 98:0 / /m - ext3 /dev/root rw\n",
		"negative":       "-6 35 98:0 / /m rw - ext3 /dev/root rw\n",
		"device":         "36 35 98 / /m rw - ext3 /dev/root rw\n",
		"short escape":   "36 35 98:0 / /m\\04 rw - ext3 /dev/root rw\n",
		"bad escape":     "36 35 98:0 / /m\\777 rw - ext3 /dev/root rw\n",
		"relative point": "36 35 98:0 / m rw - ext3 /dev/root rw\n",
		"empty line":     "\n",
	} {
		if _, err := ParseMountInfo([]byte(good + line)); err == nil || !strings.Contains(err.Error(), ":2:") {
			t.Errorf("%s: error %v, want one that names line 2", name, err)
		} else {
			wantUnknown(t, err)
		}
	}
}

func TestParseHugeMountinfo(t *testing.T) {
	const n = 100_000
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "%d 1 0:%d /x\\040y /mnt/%d rw,relatime shared:%d - tmpfs tmpfs rw\n", i, i, i, i)
	}
	start := time.Now()
	mounts, err := ParseMountInfo(b.Bytes())
	check(t, err)
	if took := time.Since(start); len(mounts) != n || mounts[n-1].Point != "/mnt/99999" || took > 5*time.Second {
		t.Errorf("%d mounts in %v", len(mounts), took)
	}
}

// The table has the mount of every path's device (stat(2)), and is read once.
func TestMountsOfThisProcess(t *testing.T) {
	f := NewFS()
	mounts, err := f.MountTable()
	check(t, err)
	var st unix.Stat_t
	check(t, unix.Stat("/proc", &st))
	i := slices.IndexFunc(mounts, func(m sandbox.HostMount) bool { return m.Point == "/proc" && m.FSType == "proc" })
	if i < 0 || unix.Mkdev(mounts[i].Major, mounts[i].Minor) != st.Dev {
		t.Errorf("no mount of /proc with device %d in %+v", st.Dev, mounts)
	}
	if again := f.Mounts(); len(again) == 0 || &again[0] != &mounts[0] {
		t.Error("the table was read again")
	}
}

func FuzzMountinfo(f *testing.F) {
	f.Add([]byte("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		mounts, err := ParseMountInfo(data)
		if err != nil {
			if mounts != nil {
				t.Error("mounts beside an error")
			}
			return
		}
		if len(mounts) != bytes.Count(data, []byte("\n")) {
			t.Errorf("%d mounts from %d lines", len(mounts), bytes.Count(data, []byte("\n")))
		}
		for _, m := range mounts {
			if !strings.HasPrefix(m.Point, "/") {
				t.Errorf("mount point %q", m.Point)
			}
			if back, err := unescape(escape(m.Point)); err != nil || back != m.Point {
				t.Errorf("%q came back as %q: %v", m.Point, back, err)
			}
		}
	})
}

func escape(s string) string {
	return strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`).Replace(s)
}
