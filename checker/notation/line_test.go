package notation

import "testing"

func TestLine(t *testing.T) {
	for _, tc := range []struct {
		words []string
		want  [4]string // by Notation
	}{
		{
			[]string{"--ro-bind", "/srv", "/srv"},
			[4]string{"--ro-bind /srv /srv", "--add 'ro-bind /srv /srv'", `mount "/srv" { access = "ro" }`, `(ro-bind "/srv" "/srv")`},
		}, {
			[]string{"--ro-bind", "/my files", "/x"},
			[4]string{"--ro-bind /my files /x", "--add 'ro-bind /my files /x'", `mount "/my files" with at = "/x", access = "ro"`, `(ro-bind "/my files" "/x")`},
		}, {
			[]string{"--unshare-net"},
			[4]string{"--unshare-net", "--add 'no-network'", "network = false", "drop the combinator network"},
		}, {
			[]string{"--unshare-ipc"},
			[4]string{"--unshare-ipc", "--unshare-ipc", "--unshare-ipc", `drop the combinator (share-ns "ipc")`},
		}, {
			[]string{"--disable-userns", "--proc", "/proc"},
			[4]string{"--disable-userns --proc /proc", "--disable-userns and --proc /proc", "--disable-userns and --proc /proc", `(unsafe-add-raw-args "--disable-userns") and (unsafe-add-raw-args "--proc /proc")`},
		}, {
			[]string{"--no-such-option"},
			[4]string{"--no-such-option", "--no-such-option", "--no-such-option", "--no-such-option"},
		},
	} {
		for n, want := range tc.want {
			if got := Line(tc.words, Notation(n)); got != want {
				t.Errorf("%v in notation %d: %s, want %s", tc.words, n, got, want)
			}
		}
	}
}
