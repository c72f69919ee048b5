package host

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	passwdUPG = "root:x:0:0:root:/root:/bin/bash\n# a comment\n\nu:x:1000:1000::/home/u:/bin/sh\nv:x:1001:1001::/home/v:/bin/sh\n"
	groupUPG  = "root:x:0:\nu:x:1000:\nv:x:1001:v\nwheel:x:10:u\n"
)

func TestAlone(t *testing.T) {
	d := tempDir(t)
	file := filepath.Join(d, "f")
	write(t, file, "")
	for name, c := range map[string]struct {
		passwd, group string
		gid           uint32
		want          bool
	}{
		"nobody in it":              {passwdUPG, groupUPG, 1000, true},
		"the user in it":            {passwdUPG, "u:x:1000:u\n", 1000, true},
		"another user's":            {passwdUPG, groupUPG, 1001, false},
		"one of several":            {passwdUPG, groupUPG, 10, false},
		"root's":                    {passwdUPG, groupUPG, 0, false},
		"not there":                 {passwdUPG, groupUPG, 5000, false},
		"others' primary":           {passwdUPG + "w:x:1002:1000::/home/w:/bin/sh\n", groupUPG, 1000, false},
		"others' primary, written":  {passwdUPG + "w:x:1002:01000::/home/w:/bin/sh\n", groupUPG, 1000, false},
		"another member":            {passwdUPG, "u:x:1000:u,v\n", 1000, false},
		"a second group of its id":  {passwdUPG, groupUPG + "x:x:1000:v\n", 1000, false},
		"the same, written":         {passwdUPG, groupUPG + "x:x:01000:v\n", 1000, false},
		"another name":              {passwdUPG, "users:x:1000:\n", 1000, false},
		"not the primary one":       {passwdUPG, groupUPG + "u:x:2000:\n", 2000, false},
		"a second name of the user": {passwdUPG + "u2:x:1000:1000::/home/u:/bin/sh\n", groupUPG, 1000, true},
		"users from NIS":            {passwdUPG + "+::::::\n", groupUPG, 1000, false},
		"groups from NIS":           {passwdUPG, groupUPG + "+:::\n", 1000, false},
		"a line cut short":          {passwdUPG + "w:x:1002", groupUPG, 1000, false},
		"a number that is none":     {passwdUPG + "w:x:1002:u::/home/w:/bin/sh\n", groupUPG, 1000, false},
		"a user with another group": {"u:x:1000:100::/home/u:/bin/sh\n", "", 1000, false},
	} {
		w := Writer{UID: 1000, Passwd: filepath.Join(d, "passwd"), Group: filepath.Join(d, "group")}
		write(t, w.Passwd, c.passwd)
		write(t, w.Group, c.group)
		if alone, err := w.Alone(file, c.gid); err != nil || alone != c.want {
			t.Errorf("%s: alone %v, %v", name, alone, err)
		}
	}
	for name, c := range map[string]struct{ passwd, group, want string }{
		"a group of LDAP": {passwdUPG, "root:x:0:\n", "it is not in " + d + "/group, and LDAP, sssd and the like are not asked"},
		"a user of LDAP":  {"root:x:0:0:::\n", groupUPG, "user 1000 is not in " + d + "/passwd, and LDAP, sssd and the like are not asked"},
		"empty files":     {"", "", "user 1000 is not in " + d + "/passwd, and LDAP, sssd and the like are not asked"},
	} {
		w := Writer{UID: 1000, Passwd: filepath.Join(d, "passwd"), Group: filepath.Join(d, "group")}
		write(t, w.Passwd, c.passwd)
		write(t, w.Group, c.group)
		if alone, err := w.Alone(file, 1000); err == nil || err.Error() != c.want || alone {
			t.Errorf("%s: alone %v, %v", name, alone, err)
		}
	}
	if alone, err := (Writer{UID: 1000, Passwd: d + "/none", Group: d + "/group"}).Alone(file, 1000); err == nil || alone {
		t.Errorf("without a password file: alone %v, %v", alone, err)
	}
}

// An access control list lets somebody in by the very bits that are the group's.
func TestAloneWithACL(t *testing.T) {
	d := tempDir(t)
	file, w := filepath.Join(d, "f"), Writer{UID: 1000, Passwd: filepath.Join(d, "passwd"), Group: filepath.Join(d, "group")}
	write(t, file, "")
	write(t, w.Passwd, passwdUPG)
	write(t, w.Group, groupUPG)
	check(t, os.Chmod(file, 0o644))
	acl := binary.LittleEndian.AppendUint32(nil, 2) // version; then tag, permissions, id (linux/posix_acl_xattr.h)
	for _, e := range []struct {
		tag, perm uint16
		id        uint32
	}{{0x01, 6, ^uint32(0)}, {0x02, 6, 1001}, {0x04, 4, ^uint32(0)}, {0x10, 6, ^uint32(0)}, {0x20, 4, ^uint32(0)}} {
		acl = binary.LittleEndian.AppendUint16(acl, e.tag)
		acl = binary.LittleEndian.AppendUint16(acl, e.perm)
		acl = binary.LittleEndian.AppendUint32(acl, e.id)
	}
	check(t, unix.Setxattr(file, "system.posix_acl_access", acl, 0))
	info, err := os.Stat(file)
	check(t, err)
	if info.Mode().Perm() != 0o664 {
		t.Fatalf("user 1001 may write, and the mode is %o: the group's bits are to show it", info.Mode().Perm())
	}
	if alone, err := w.Alone(file, 1000); err != nil || alone {
		t.Errorf("alone %v, %v", alone, err)
	}
}
