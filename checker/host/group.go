package host

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Writer is a user of this machine, asked who else may write what a group may.
type Writer struct {
	UID int
	// Passwd and Group are in the format of passwd(5) and group(5); "" for the system's.
	Passwd, Group string
}

// Alone tells whether what a group may write of the file or folder at path this user
// alone may: the group is the user's own, of the same name, nobody else is in it, and
// no access control list lets others in, which would show in the group's permissions
// (acl(5)). That is what umask 002 is made for (login.defs(5), USERGROUPS_ENAB), and
// what Debian's OpenSSH takes for safe. A user, or this user's group, that is not in the
// two files is an error: only the C library's plug-ins could ask LDAP or sssd for it
// (nsswitch.conf(5)), and these list members incompletely (enumerate in sssd.conf(5)).
func (w Writer) Alone(path string, gid uint32) (bool, error) {
	private, err := w.private(gid)
	if err != nil || !private {
		return false, err
	}
	return withoutACL(path)
}

func (w Writer) private(gid uint32) (bool, error) {
	if w.Passwd == "" {
		w.Passwd, w.Group = "/etc/passwd", "/etc/group"
	}
	files := NewFS()
	passwd, errP := files.read(w.Passwd, passwdLimit)
	groups, errG := files.read(w.Group, passwdLimit)
	if err := errors.Join(errP, errG); err != nil {
		return false, err
	}
	name, listed := w.primary(string(passwd), gid)
	if !listed {
		return false, fmt.Errorf("user %d is not in %s, and LDAP, sssd and the like are not asked", w.UID, w.Passwd)
	}
	if name == "" {
		return false, nil
	}
	alone, listed := onlyMember(string(groups), name, gid)
	if !listed {
		return false, fmt.Errorf("it is not in %s, and LDAP, sssd and the like are not asked", w.Group)
	}
	return alone, nil
}

// primary is the user's name, where the group is this user's primary one and nobody
// else's; else "". Where a line can not be read, or others come from NIS
// (nsswitch.conf(5), compat), it is not known to be. listed is false where all lines
// can be read and none is this user's.
func (w Writer) primary(passwd string, gid uint32) (name string, listed bool) {
	others := false
	for line := range strings.Lines(passwd) {
		entry := fields(line, 7)
		if entry == nil {
			continue
		}
		uid, err := strconv.ParseUint(entry[2], 10, 32)
		its, errG := strconv.ParseUint(entry[3], 10, 32)
		switch mine := uid == uint64(w.UID); {
		case err != nil || errG != nil:
			return "", true
		case its == uint64(gid) && !mine:
			others = true
		case mine && !listed: // the first entry counts, as for getpwuid(3)
			listed = true
			if its != uint64(gid) {
				return "", true
			}
			name = entry[0]
		}
	}
	if others {
		return "", listed
	}
	return name, listed
}

// onlyMember tells whether the group has the user's name, and no other member. listed is
// false where all lines can be read and none is the group's.
func onlyMember(groups, user string, gid uint32) (alone, listed bool) {
	for line := range strings.Lines(groups) {
		entry := fields(line, 4)
		if entry == nil {
			continue
		}
		its, err := strconv.ParseUint(entry[2], 10, 32)
		switch {
		case err != nil:
			return false, true
		case its != uint64(gid):
		case entry[0] != user || entry[3] != "" && entry[3] != user:
			return false, true
		default:
			listed = true
		}
	}
	return listed, listed
}

// fields splits a line of a passwd or group file; nil for an empty one or a comment. A
// line of another length has as many empty fields, in which no number is.
func fields(line string, n int) []string {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return nil
	}
	if out := strings.Split(line, ":"); len(out) == n && line[0] != '+' {
		return out
	}
	return make([]string, n)
}
