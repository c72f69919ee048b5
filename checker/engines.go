package checker

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/cache"
	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/octets"
	"github.com/refnil/opencode-jail-devenv/policy"
)

// engines judge by the pack and what bundles have compiled, in this process, and by
// the other rules in another, which is nil when there are none.
type engines struct {
	sources []engine.Source
	files   []engine.File // of the sources
	pack    *engine.Pack
	plans   []*engine.Pack
	others  *worker.Worker
	cache   *cache.Cache // nil for none
	limit   time.Duration
	digest  string // of all rules and lists
}

// startEngines starts what takes long and returns at once; open waits.
func startEngines(limit time.Duration, sources []engine.Source, k Keeping) (*engines, error) {
	files, err := engine.Read(sources...)
	if err != nil {
		return nil, err
	}
	e := &engines{sources: sources, files: files, limit: limit}
	files = slices.DeleteFunc(slices.Clone(files), func(f engine.File) bool { return f.Source.Plan != nil })
	if slices.ContainsFunc(files, func(f engine.File) bool { return !f.IsList() }) {
		e.cache = k.open()
		e.others, err = worker.Start(worker.Options{TimeLimit: limit, Cache: e.cache, Occasion: k.Occasion, Note: k.note, Compiling: k.compiling}, files)
	}
	return e, err
}

// digest is the SHA-256 sum of the embedded pack's own and of others' files, with their
// layers and without their places, so that two machines agree.
func digest(files []engine.File) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00", policy.PlanDigest)
	for _, f := range files {
		sum := sha256.Sum256(f.Text)
		fmt.Fprintf(h, "%s\x00%s\x00%x\x00", f.Source.Layer, f.Path, sum)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// open loads the pack, which the others' lists extend, and the plans, and waits for
// the others' rules.
func (e *engines) open(ctx context.Context) error {
	e.digest = digest(e.files)
	var err error
	if e.pack, err = engine.OpenPack(e.limit, e.files...); err != nil {
		return err
	}
	for _, s := range e.sources {
		if s.Plan == nil {
			continue
		}
		p, err := engine.OpenPlan(e.limit, s.Layer, s.Plan)
		if err != nil {
			return fmt.Errorf("%s: %w: build the bundle anew", s.Name, err)
		}
		e.plans = append(e.plans, p)
	}
	if e.others != nil {
		if err := e.others.Open(ctx); err != nil {
			return err
		}
	}
	return e.unambiguous()
}

// unambiguous makes sure that no two of the engines have rules of one name. Those
// of the pack are looked for by newChecker.
func (e *engines) unambiguous() error {
	type sources func(engine.Source) bool
	at := map[string]sources{}
	note := func(rules []engine.Rule, from sources) error {
		for _, r := range rules {
			here := func(s engine.Source) bool { return s.Layer == r.Layer && from(s) }
			if before, taken := at[r.ID]; taken {
				return fmt.Errorf("rule %s is defined by two policies, %s and %s: name one of them alone, or rename one's package", r.ID, e.named(before), e.named(here))
			}
			at[r.ID] = here
		}
		return nil
	}
	next := 0
	for _, s := range e.sources {
		if s.Plan == nil {
			continue
		}
		if err := note(e.plans[next].Rules(), func(o engine.Source) bool { return o.Name == s.Name && o.At == s.At }); err != nil {
			return err
		}
		next++
	}
	if e.others == nil {
		return nil
	}
	return note(e.others.Rules(), func(o engine.Source) bool { return o.Plan == nil })
}

// named are those of the sources.
func (e *engines) named(which func(engine.Source) bool) string {
	var all []string
	for _, s := range e.sources {
		if which(s) {
			all = append(all, fmt.Sprintf("%s, named at %s", s.Name, s.At))
		}
	}
	return strings.Join(all, " or ")
}

func (e *engines) close() {
	if e.others != nil {
		e.others.Close()
	}
	if e.cache != nil {
		_ = e.cache.Close() // it was read, and written to by name
	}
}

// judges are all that have rules, the pack first.
func (e *engines) judges() []interface{ Rules() []engine.Rule } {
	all := []interface{ Rules() []engine.Rule }{e.pack}
	for _, p := range e.plans {
		all = append(all, p)
	}
	if e.others != nil {
		all = append(all, e.others)
	}
	return all
}

// rules lists those of all, by ID.
func (e *engines) rules() []engine.Rule {
	var rules []engine.Rule
	for _, j := range e.judges() {
		rules = append(rules, j.Rules()...)
	}
	slices.SortFunc(rules, func(a, b engine.Rule) int { return strings.Compare(a.ID, b.ID) })
	return rules
}

// document is a policy input as the engines take it.
type document struct {
	*Input
	engine.Document
	escaped bool
	others  <-chan verdict // of the other process, where it judges already
}

// documentOf escapes what is no UTF-8, so that no two names of files are alike: a rule
// must not take one for another.
func documentOf(in *Input) (document, error) {
	doc, err := engine.NewDocument(in)
	escaped := errors.Is(err, plan.ErrNotUTF8)
	if escaped {
		in = octets.Map(in, octets.Escape)
		doc, err = engine.NewDocument(in)
	}
	return document{Input: in, Document: doc, escaped: escaped}, err
}

// begin has the other process judge in, on any thread, if it need not be started first.
func (e *engines) begin(ctx context.Context, in *Input) (document, error) {
	doc, err := documentOf(in)
	if err == nil && e.others != nil && e.others.Runs() {
		doc.others, err = e.judgeThere(ctx, doc.Input, nil)
	}
	return doc, err
}

// judge returns the findings of all, in report order.
func (e *engines) judge(ctx context.Context, doc document) ([]finding.Finding, error) {
	others := doc.others
	if others == nil {
		var err error
		if others, err = e.judgeThere(ctx, doc.Input, nil); err != nil {
			return nil, err
		}
	}
	here, stop := engine.Limit(ctx, e.limit) // the others have theirs, from when it is their turn
	defer stop()
	all, err := e.judgeHere(here, doc.Document)
	v := <-others
	var again *worker.AgainError
	if err == nil && errors.As(v.err, &again) { // here, for this is the main thread
		if others, err = e.judgeThere(ctx, doc.Input, again); err != nil {
			return nil, err
		}
		v = <-others
	}
	if err := cmp.Or(err, v.err); err != nil {
		return nil, err
	}
	all = append(all, v.found...)
	if doc.escaped {
		all = octets.Map(all, octets.Unescape)
	}
	finding.Sort(all)
	return all, nil
}

// verdict is what some rules say.
type verdict struct {
	found []finding.Finding
	err   error
}

// judgeThere has the other process judge, whose verdict comes later.
func (e *engines) judgeThere(ctx context.Context, in *Input, again *worker.AgainError) (<-chan verdict, error) {
	later := make(chan verdict, 1)
	if e.others == nil {
		later <- verdict{}
		return later, nil
	}
	doc, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("policy input: %w", err)
	}
	judged := e.others.Begin(ctx, doc, again)
	go func() {
		found, err := judged()
		later <- verdict{found, err}
	}()
	return later, nil
}

// judgeHere judges by what is compiled.
func (e *engines) judgeHere(ctx context.Context, doc engine.Document) ([]finding.Finding, error) {
	all, err := e.pack.Judge(ctx, doc)
	if err != nil {
		return nil, err
	}
	for _, p := range e.plans {
		found, err := p.Judge(ctx, doc)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}
