package checker

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/cache"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/policy"
)

// engines judge by the pack, in this process, and by the rules of others, in
// another, which is nil when there are none.
type engines struct {
	files  []engine.File // of the others
	pack   *engine.Pack
	others *worker.Worker
	cache  *cache.Cache // nil for none
	digest string       // of all rules and lists
}

// startEngines starts what takes long and returns at once; open waits.
func startEngines(limit time.Duration, sources []engine.Source, k Keeping) (*engines, error) {
	files, err := engine.Read(sources...)
	if err != nil {
		return nil, err
	}
	e := &engines{files: files}
	if slices.ContainsFunc(files, func(f engine.File) bool { return !f.IsList() }) {
		e.cache = k.open()
		e.others, err = worker.Start(worker.Options{TimeLimit: limit, Cache: e.cache, Note: k.note, Compiling: k.compiling}, files)
	}
	return e, err
}

// digest is the SHA-256 sum of the embedded pack and of others' files, with their
// layers and without their places, so that two machines agree.
func digest(files []engine.File) string {
	h := sha256.New()
	sum := sha256.Sum256(policy.Plan)
	h.Write(sum[:])
	for _, f := range files {
		sum := sha256.Sum256(f.Text)
		fmt.Fprintf(h, "%s\x00%s\x00%x\x00", f.Source.Layer, f.Path, sum)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// open loads the pack, which the others' lists extend, and waits for the others'
// rules.
func (e *engines) open(ctx context.Context, limit time.Duration) error {
	e.digest = digest(e.files)
	var err error
	if e.pack, err = engine.OpenPack(limit, e.files...); err != nil || e.others == nil {
		return err
	}
	return e.others.Open(ctx)
}

func (e *engines) close() {
	if e.others != nil {
		e.others.Close()
	}
	if e.cache != nil {
		_ = e.cache.Close() // it was read, and written to by name
	}
}

// rules lists those of both. No rule is in both engines: the worker refuses
// rules with names of the pack's.
func (e *engines) rules() []engine.Rule {
	rules := e.pack.Rules()
	if e.others != nil {
		rules = slices.Concat(rules, e.others.Rules())
		slices.SortFunc(rules, func(a, b engine.Rule) int { return cmp.Compare(a.ID, b.ID) })
	}
	return rules
}

// judge returns the findings of both, in report order.
func (e *engines) judge(ctx context.Context, in *Input) ([]finding.Finding, error) {
	if e.others == nil {
		return e.pack.Judge(ctx, in)
	}
	doc, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("policy input: %w", err)
	}
	type verdict struct {
		found []finding.Finding
		err   error
	}
	others := make(chan verdict, 1)
	judged := e.others.Begin(ctx, doc)
	go func() {
		found, err := judged()
		others <- verdict{found, err}
	}()
	found, err := e.pack.Judge(ctx, in)
	v := <-others
	if err := cmp.Or(err, v.err); err != nil {
		return nil, err
	}
	all := slices.Concat(found, v.found)
	finding.Sort(all)
	return all, nil
}
