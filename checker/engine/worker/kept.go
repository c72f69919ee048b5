package worker

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/engine/cache"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// kept is what earlier launches learned of the same rules. A verdict depends on the
// rules with all that is loaded beside them, on the programs that judge, and on what
// of the input that is given to it: all that is in the name of the entry. That it took
// too long, or failed, is kept of none.
type kept struct {
	cache *cache.Cache
	note  func(string)
	maker string
	rules [sha256.Size]byte
	// occasion foretells; nil when nothing does. Foretold is whether a verdict is kept.
	occasion *cache.Entry
	foretold bool
}

// Kinds of entries.
const (
	rulesKind    = "rules"
	verdictKind  = "verdict"
	occasionKind = "occasion"
	needKind     = "need"
)

func keep(o Options, judging programs, load Load) (*kept, error) {
	k := &kept{cache: o.Cache, note: o.Note, maker: Identity().String()}
	for _, program := range []string{judging.withOPA, judging.withoutOPA} {
		if program == "" {
			continue
		}
		build, err := buildOf(program)
		if err != nil {
			return nil, err
		}
		k.maker += build
	}
	// Digests stand for the files, of which some have megabytes; whatever else is in
	// the message is in the name as it is.
	load.Sources = slices.Clone(load.Sources)
	for i, s := range load.Sources {
		digests := map[string][]byte{}
		for name, text := range s.Files {
			sum := sha256.Sum256(text)
			digests[name] = sum[:]
		}
		load.Sources[i].Files = digests
	}
	doc, err := json.Marshal(load)
	if err != nil {
		return nil, err
	}
	k.rules = sha256.Sum256(doc)
	if o.Occasion != nil {
		k.occasion = &cache.Entry{Kind: occasionKind, Maker: k.maker, ID: sha256.Sum256(append(k.rules[:], strings.Join(o.Occasion, "\x00")...))}
	}
	return k, nil
}

// foretells tells whether a verdict is probably kept: as it was on this occasion's
// last launch.
func (k *kept) foretells() bool {
	if k.occasion == nil {
		return true
	}
	k.foretold = k.recall(*k.occasion, &k.foretold) && k.foretold
	return k.foretold
}

// learn notes what it came to, for the next time.
func (k *kept) learn(found bool) {
	if k.occasion != nil && found != k.foretold {
		k.put(*k.occasion, found)
	}
	k.occasion = nil // a lint goes on to other jails
}

// buildOf tells apart builds that call themselves by one version.
func buildOf(program string) (string, error) {
	var st unix.Stat_t
	if err := unix.Stat(program, &st); err != nil {
		return "", fmt.Errorf("%s: %w", program, err)
	}
	return fmt.Sprintf(" %s %d %d %d %d %d", program, st.Dev, st.Ino, st.Size, st.Mtim.Nano(), st.Ctim.Nano()), nil
}

// recallRules returns what the rules turned out to be when they were last loaded;
// none if that is not known.
func (k *kept) recallRules() (l Loaded) {
	if !k.recall(cache.Entry{Kind: rulesKind, Maker: k.maker, ID: k.rules}, &l) {
		return Loaded{}
	}
	return l
}

// lasting tells whether a verdict may come up again: not where rules may read the
// time, which is in the input.
func lasting(l Loaded) bool { return l.Reads != nil && !slices.Contains(l.Reads, "now") }

func (k *kept) keepRules(l Loaded) {
	if lasting(l) {
		l.Notes = nil
		k.put(cache.Entry{Kind: rulesKind, Maker: k.maker, ID: k.rules}, l)
	}
}

// need is the entry that says that the rules need OPA. Like what is foretold it saves
// time, and decides nothing else.
func (k *kept) need() cache.Entry {
	return cache.Entry{Kind: needKind, Maker: k.maker, ID: k.rules}
}

func (k *kept) recallNeed() (opa bool) { return k.recall(k.need(), &opa) && opa }

func (k *kept) keepNeed() { k.put(k.need(), true) }

func (k *kept) recallVerdict(seen []byte) (found []finding.Finding, ok bool) {
	var v Verdict
	ok = k.recall(k.verdict(seen), &v) && v.Findings != nil
	return v.Findings, ok
}

func (k *kept) keepVerdict(seen []byte, found []finding.Finding) {
	k.put(k.verdict(seen), Verdict{Findings: append([]finding.Finding{}, found...)})
}

func (k *kept) verdict(seen []byte) cache.Entry {
	e := cache.Entry{Kind: verdictKind, Maker: k.maker}
	e.ID = sha256.Sum256(append(bytes.Clone(k.rules[:]), seen...))
	return e
}

func (k *kept) recall(e cache.Entry, to any) bool {
	doc, err := k.cache.Get(e)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err == nil {
		err = json.Unmarshal(doc, to)
	}
	if err != nil {
		k.note(err.Error())
	}
	return err == nil
}

// put may fail: then it is made again the next time.
func (k *kept) put(e cache.Entry, content any) {
	doc, err := json.Marshal(content)
	if err == nil {
		err = k.cache.Put(e, doc)
	}
	if err != nil {
		k.note(err.Error())
	}
}
