// Package store keeps the bundles that were fetched, for launches, which never wait
// for a network. What is read is verified by its digest, and by whoever reads it by
// its signature: what the folder is trusted with is to know which revisions were seen
// and when. It lies in the user's state folder as the password file has it, whatever
// XDG_STATE_HOME says: a project's .env could set that.
package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/google/renameio/v2"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
)

// Store is a folder of bundles. Any number of processes may use it at once.
type Store struct {
	Dir string
	// Shared lets every user read what is kept, as root does for a machine.
	Shared bool
	// Root is the folder of the machine's store, to whose rollbacks this one yields; ""
	// for none.
	Root string
}

// User is a user's own.
func User(home string) Store {
	return Store{Dir: filepath.Join(home, ".local", "state", "ocjail", "bundles"), Root: System().Dir}
}

// System is the machine's, which root fills.
func System() Store { return Machine("/var/lib/ocjail/bundles") }

// Machine is the store that root fills for all users, in a folder.
func Machine(dir string) Store { return Store{Dir: dir, Shared: true} }

// Entry is what is known of a source.
type Entry struct {
	Source   string          `json:"source"` // a URL, or the path of a file that is not kept
	Digest   string          `json:"digest"` // of the archive, "sha256:" and hexadecimal
	Revision bundle.Revision `json:"revision"`
	// Seen is the highest revision that was accepted, below which nothing is.
	Seen      bundle.Revision `json:"seen"`
	Signer    string          `json:"signer"` // the ID of the key
	Algorithm string          `json:"algorithm"`
	// Fetched is when the source last said that this is its bundle; of a file, when it
	// was first seen.
	Fetched time.Time `json:"fetched"`
	// Mark is what the source tells versions apart by: an ETag, or a manifest's digest.
	Mark string `json:"mark,omitempty"`
	// Rollback is the last one that root allowed of the source for this machine, as it
	// was known when this was noted.
	Rollback Rollback `json:"rollback,omitzero"`
}

// DiscardedError says that a bundle is not as it was kept, and is gone.
type DiscardedError struct {
	File string
	Left error // why it could not be removed, nil when it was
}

func (e *DiscardedError) Error() string {
	if e.Left != nil {
		return fmt.Sprintf("%s is not the bundle that was kept there, and can not be removed: %v", e.File, e.Left)
	}
	return fmt.Sprintf("%s is not the bundle that was kept there, and is discarded", e.File)
}

func (e *DiscardedError) Unwrap() error { return e.Left }

// EntryFile is where the entry of a source is.
func (s Store) EntryFile(source string) string {
	sum := sha256.Sum256([]byte(source))
	return filepath.Join(s.Dir, "sources", hex.EncodeToString(sum[:])+".json")
}

// ArchiveFile is where the bundle of a digest is.
func (s Store) ArchiveFile(digest string) string {
	return filepath.Join(s.Dir, "archives", strings.Replace(digest, ":", "-", 1)+".tar.gz")
}

// maxEntry bounds the text of an entry, in bytes.
const maxEntry = 16 << 10

// Find returns the entry of a source; the error is [fs.ErrNotExist] for none.
func (s Store) Find(source string) (Entry, error) {
	file := s.EntryFile(source)
	text, err := readMost(file, maxEntry)
	if err != nil {
		return Entry{}, err
	}
	var e Entry
	if err = json.Unmarshal(text, &e); err == nil && (e.Source != source || !bundle.IsDigest(e.Digest) || e.Revision == (bundle.Revision{}) || e.Seen.Compare(e.Revision) < 0 || !e.Rollback.valid()) {
		err = errors.New("it is not as ocjail writes it")
	}
	if err != nil {
		mend := "remove it"
		if bundle.IsSource(source) {
			mend += ", and run ocjail bundle pull"
		}
		return Entry{}, fmt.Errorf("%s, which tells of %s: %w: %s", file, source, err, mend)
	}
	return e, nil
}

// Read returns the archive of an entry. The error is a [DiscardedError] when it is not
// what was kept, and [fs.ErrNotExist] when it is not there, as when a newer one has
// taken its place meanwhile: find the entry again.
func (s Store) Read(e Entry) ([]byte, error) {
	file := s.ArchiveFile(e.Digest)
	archive, err := readMost(file, bundle.MaxArchive)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err == nil && DigestOf(archive) == e.Digest:
		return archive, nil
	case errors.Is(err, fs.ErrPermission):
		return nil, err
	}
	return nil, &DiscardedError{file, s.discard(e.Digest)}
}

// discard removes an archive that is not what its name says, if it still is not.
func (s Store) discard(digest string) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	file := s.ArchiveFile(digest)
	if again, err := readMost(file, bundle.MaxArchive); err == nil && DigestOf(again) == digest {
		return nil
	}
	return os.RemoveAll(file)
}

// DigestOf is what an archive is kept under.
func DigestOf(archive []byte) string {
	sum := sha256.Sum256(archive)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Add adds an archive, of which nothing is known yet: a launch goes by it where a lock
// names it. Keep has to follow within [grace], or it is swept away.
func (s Store) Add(archive []byte) error {
	if err := s.make(); err != nil {
		return fmt.Errorf("keep the bundle: %w", err)
	}
	if err := s.write(s.ArchiveFile(DigestOf(archive)), archive); err != nil {
		return fmt.Errorf("keep the bundle: %w", err)
	}
	return nil
}

// Keep keeps an archive, and what is known of it. A launch finds all of it or what was
// there before. It is refused, with bundle.ErrRollback, when a newer revision than
// this was seen: another process may have fetched that meanwhile. Rollback is a
// revision that may be older nevertheless, zero for none; in a machine's store the stores
// of users yield to it.
func (s Store) Keep(archive []byte, e Entry, rollback bundle.Revision) error {
	unlock, err := s.Lock()
	if err != nil {
		return s.notKept(err)
	}
	defer unlock()
	before, known, err := s.admits(&e, rollback)
	if err != nil {
		return err
	}
	e.Digest = DigestOf(archive)
	e.Seen = e.Revision
	if err = s.write(s.ArchiveFile(e.Digest), archive); err == nil {
		err = s.record(e)
	}
	if err != nil {
		return s.notKept(err)
	}
	if known && before.Digest != e.Digest {
		// A launch that has just read the entry before looks for this archive.
		now := time.Now()
		_ = os.Chtimes(s.ArchiveFile(before.Digest), now, now) // else it goes earlier, and that launch looks again
	}
	return s.sweep()
}

// notKept says what to do about a disk that is full or not to be written.
func (s Store) notKept(err error) error {
	return fmt.Errorf("keep the bundle: %w: see that there is room in %s, and that you may write there", err, s.Dir)
}

// Lock keeps other processes from changing what is kept, and from moving a lock, until
// unlock is called. Nobody else can hold it, for nobody else can open its file.
func (s Store) Lock() (unlock func(), err error) {
	if err := s.make(); err != nil {
		return nil, err
	}
	return s.lock()
}

// Note notes that a bundle was seen which is not kept, for it is a file of this
// machine; Source is its path. It is refused as by Keep.
func (s Store) Note(e Entry, rollback bundle.Revision) error {
	unlock, err := s.Lock()
	if err == nil {
		defer unlock()
		if _, _, err = s.admits(&e, rollback); err == nil {
			e.Seen = e.Revision
			err = s.record(e)
		}
	}
	if err != nil && !errors.Is(err, bundle.ErrRollback) && !errors.Is(err, errRolledBack) {
		err = fmt.Errorf("note that revision %s of %s was seen: %w: see that there is room, and that %s can be written", e.Revision, e.Source, err, s.Dir)
	}
	return err
}

// record writes an entry. The lock is held.
func (s Store) record(e Entry) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return s.write(s.EntryFile(e.Source), append(text, '\n'))
}

// Renew notes that the source still has the bundle of an entry, unless another has
// taken its place meanwhile.
func (s Store) Renew(e Entry, fetched time.Time) error {
	unlock, err := s.lock()
	if err != nil {
		return fmt.Errorf("note that %s is up to date: %w", e.Source, err)
	}
	defer unlock()
	now, err := s.Find(e.Source)
	if err != nil || now.Digest != e.Digest {
		return err
	}
	now.Fetched = fetched
	if err := s.record(now); err != nil {
		return fmt.Errorf("note that %s is up to date: %w", e.Source, err)
	}
	return nil
}

func (s Store) write(file string, text []byte) error {
	mode := fs.FileMode(0o600)
	if s.Shared {
		mode = 0o644
	}
	return renameio.WriteFile(file, text, mode, renameio.IgnoreUmask(), renameio.WithTempDir(filepath.Dir(file)))
}

// readMost reads a regular file of at most so many bytes.
func readMost(name string, most int64) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s has more than %d KiB", name, most>>10)
	}
	return text, err
}
