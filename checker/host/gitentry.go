package host

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Modes and flags of index entries (gitformat-index(5)).
const (
	modeTree       = 0o040000 // a whole directory, in a sparse index
	modeGitlink    = 0o160000
	flagUnchanged  = 0x8000 // assume-unchanged
	flagExtended   = 0x4000
	flagStage      = 0x3000
	flagNameLength = 0x0fff
	extSkip        = 0x4000 // skip-worktree
	statSize       = 40     // times, device, inode, mode, owner, size
	modeOffset     = 24
	maxName        = 4096 // PATH_MAX: no file has a longer one
)

// entry is one entry; its name is only good until the next.
type entry struct {
	name   []byte
	mode   uint32
	stage  uint16
	hidden bool // git does not look whether it changed
}

// entries reads the entries of an index in order.
type entries struct {
	data     []byte
	pos      int
	left     uint32
	version  uint32
	hashSize int
	name     []byte // of the last entry; version 4 rewrites it in place
	stage    uint16
	effort   *effort
}

// effort counts the bytes of names that are compared or copied. Of a crafted index they
// must not be many times those that it has.
type effort int

func (n *effort) compare(a, b []byte) int {
	*n += effort(min(len(a), len(b)))
	return bytes.Compare(a, b)
}

func (n *effort) append(to, more []byte) []byte {
	*n += effort(len(more))
	if cap(to)-len(to) < len(more) {
		*n += effort(len(to))
	}
	return append(to, more...)
}

func newEntries(data []byte, hashSize int, n *effort) (*entries, error) {
	r := &entries{data: data, pos: 12, version: be32(data[4:]), left: be32(data[8:]), hashSize: hashSize, effort: n}
	if r.version < 2 || r.version > 4 {
		return nil, fmt.Errorf("its version is %d, not 2, 3 or 4", r.version)
	}
	return r, nil
}

var errCut = errors.New("an entry is cut short")

func (r *entries) next() (entry, error) {
	start, fixed := r.pos, statSize+r.hashSize+2
	if len(r.data)-start < fixed {
		return entry{}, errCut
	}
	flags := binary.BigEndian.Uint16(r.data[start+fixed-2:])
	e := entry{mode: be32(r.data[start+modeOffset:]), stage: flags & flagStage, hidden: flags&flagUnchanged != 0}
	if flags&flagExtended != 0 {
		if r.version < 3 || len(r.data)-start < fixed+2 {
			return entry{}, errCut
		}
		e.hidden = e.hidden || binary.BigEndian.Uint16(r.data[start+fixed:])&extSkip != 0
		fixed += 2
	}
	r.pos = start + fixed
	name, order, err := r.readName(start)
	switch {
	case err != nil:
		return entry{}, err
	case int(flags&flagNameLength) != min(len(name), flagNameLength):
		return entry{}, fmt.Errorf("the entry %q has a wrong length", name)
	case order > 0 || order == 0 && r.stage >= e.stage:
		return entry{}, fmt.Errorf("the entry %q is out of order", name)
	}
	r.name, r.stage = name, e.stage
	r.left--
	e.name = name
	return e, nil
}

// readName reads the name of the entry that begins at start, and compares the
// last name with it. Version 4 says how many bytes to drop from the last name
// and what to append: only these are looked at, or a small index of long names
// would take a long time.
func (r *entries) readName(start int) (name []byte, order int, err error) {
	keep := 0
	if r.version == 4 {
		drop, err := r.varint()
		if err != nil {
			return nil, 0, err
		}
		if drop > len(r.name) {
			return nil, 0, errCut
		}
		keep = len(r.name) - drop
	}
	rest := r.data[r.pos:]
	length := bytes.IndexByte(rest[:min(len(rest), maxName+1-keep)], 0)
	switch {
	case length < 0 && len(rest) > maxName-keep:
		return nil, 0, fmt.Errorf("a name has more than %d bytes", maxName)
	case length < 0:
		return nil, 0, errCut
	}
	text := rest[:length]
	r.pos += length + 1
	order = r.effort.compare(r.name[keep:], text)
	if r.version == 4 {
		return r.effort.append(r.name[:keep], text), order, nil
	}
	// 1 to 8 NULs pad the entry to a multiple of eight bytes.
	end := start + (r.pos-start+7)&^7
	if end > len(r.data) || len(bytes.Trim(r.data[r.pos:end], "\x00")) > 0 {
		return nil, 0, errCut
	}
	r.pos = end
	return text, order, nil
}

// varint reads the offset encoding of git's packs: each further byte adds one
// before it shifts (gitformat-pack(5)).
func (r *entries) varint() (int, error) {
	n := 0
	for first := true; ; first = false {
		if r.pos >= len(r.data) || n > indexLimit {
			return 0, errCut
		}
		c := r.data[r.pos]
		r.pos++
		if !first {
			n++
		}
		n = n<<7 | int(c&0x7f)
		if c&0x80 == 0 {
			return n, nil
		}
	}
}

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
