package gate

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/review"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Outcome is what came of a session's review.
type Outcome struct {
	Review  *review.Project
	Mode    config.Review
	Changes []review.Change // the session's own
	// Stored is false when they could not be kept pending.
	Stored bool
	// Signaled is set when a signal ended the command.
	Signaled bool
	// Interrupted gets a value when somebody wants the launch to end.
	Interrupted <-chan struct{}
}

// reviewer runs the review of one launch. A nil one does nothing.
type reviewer struct {
	Request
	project *review.Project
	begun   bool // session and err are set; there may be nothing to review
	session *review.Session
	err     error
}

// openReview finishes the review of sessions that were killed, and reads what is
// pending. What can not be read is no "nothing to review".
func (r Request) openReview() (*reviewer, error) {
	if r.Config.Gate.Review == config.ReviewOff {
		return nil, nil
	}
	p, err := review.Open(r.Facts.StateDir, r.Facts.ProjectRoot)
	if err != nil {
		return nil, fmt.Errorf("review: %w", err)
	}
	return &reviewer{Request: r, project: p}, nil
}

// tell lets the rules know what is pending.
func (v *reviewer) tell(r *checker.Request) {
	if v != nil {
		r.Unreviewed, r.Distrusts = v.project.Findings(), v.project.Distrusts
	}
}

// begin records the state before the session, beside other work.
func (v *reviewer) begin(j *checker.Jail) {
	if v == nil {
		return
	}
	plan := planOf(j)
	v.begun = len(plan.Areas)+len(plan.Parents) > 0 // else it can write nothing that is watched, as the jail of a proxy
	if v.begun {
		v.session, v.err = v.project.Begin(plan)
	}
}

// ready tells whether there is a record. Without one the command may start only where the
// review at the session's end does not need it: a killed session is then not
// reviewed, and nothing is put back.
func (v *reviewer) ready() error {
	if v == nil || !v.begun {
		return nil
	}
	switch {
	case v.err == nil:
	case v.session == nil, v.Config.Gate.Review == config.ReviewRevert:
		return fmt.Errorf("review: %w: nothing was started", v.err)
	default:
		v.warn("the review of this session can not be recorded (%v): if ocjail is killed, nobody will tell what changed", v.err)
	}
	return nil
}

// runs notes which process to end if this one is killed as it lets the jail run.
func (v *reviewer) runs(child int) {
	if v == nil || !v.begun {
		return
	}
	if err := v.session.Runs(child); err != nil {
		v.warn("which process the jail is can not be recorded: %v", err)
	}
}

func (v *reviewer) cancel() error {
	if v == nil || !v.begun {
		return nil
	}
	return v.session.Cancel()
}

// end compares. A review that fails is the next launch's: it must not change the
// command's own status.
func (v *reviewer) end(s signals, signaled bool) {
	if v == nil || !v.begun {
		return
	}
	changes, err := v.session.End()
	if err != nil {
		v.warn("the review of this session failed, and is done again before the next launch: %v", err)
	}
	v.step("review")
	if v.Reviewed == nil {
		return
	}
	interrupted := make(chan struct{}, 1)
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case <-s:
				select {
				case interrupted <- struct{}{}:
				default:
				}
			case <-done:
				return
			}
		}
	}()
	v.Reviewed(Outcome{Review: v.project, Mode: v.Config.Gate.Review, Changes: changes, Stored: err == nil && v.err == nil, Signaled: signaled, Interrupted: interrupted})
}

// planOf says what of a jail is reviewed: what the host runs later, where the
// jail can write, also where a mount is to prevent that.
func planOf(j *checker.Jail) review.Plan {
	plan := planner{Plan: review.Plan{Project: j.Facts.ProjectRoot, Git: j.Facts.Git}}
	if g := plan.Git; g != nil && (g.Dir == "" || g.CommonDir == "") {
		plan.Git = nil // a stray one, which a rule tells of
	}
	writable, files := writableSources(j)
	plan.files = files
	for _, w := range j.Watched {
		work := w.Class == "agent-work"
		i := slices.IndexFunc(writable, func(dir string) bool { _, in := sandbox.Below(dir, w.Path); return in })
		if !work && w.Class != "host-executed" || i < 0 {
			continue
		}
		plan.area(writable[i])
		plan.Roots = append(plan.Roots, review.Root{
			Path: w.Path, Reason: w.Reason, Work: work, Tracked: w.Tracked != nil && *w.Tracked, Told: w.Tracked != nil,
			Held: w.Exists != nil && *w.Exists && !j.Tree.Widest(w.Path).Access.Writes(),
		})
	}
	for _, p := range j.Config.Review {
		plan.Patterns = append(plan.Patterns, review.Pattern{Glob: p.Value, Reason: "review of " + p.Pos.String() + " names it"})
		if slices.Contains(writable, plan.Project) {
			plan.area(plan.Project)
		}
	}
	return plan.Plan
}

type planner struct {
	review.Plan
	files map[string]bool // writable sources that are no directories
}

func (p *planner) area(source string) {
	list := &p.Areas
	if p.files[source] {
		list, source = &p.Parents, filepath.Dir(source)
	}
	if !slices.Contains(*list, source) {
		*list = append(*list, source)
	}
}

// writableSources are what of the host the jail can write, none within another,
// and which of these are no directories. A mount that another one hides is none: to
// look through all of the host for it would be in vain.
func writableSources(j *checker.Jail) (outer []string, files map[string]bool) {
	var all []string
	for m := range j.Tree.Visible() {
		switch {
		case m.Kind == sandbox.MountHost && m.Access().Writes():
			all = append(all, m.Source)
		case m.Upper != "":
			all = append(all, m.Upper)
		}
	}
	slices.Sort(all)
	files = map[string]bool{}
	for _, dir := range slices.Compact(all) {
		if !slices.ContainsFunc(outer, func(o string) bool { _, in := sandbox.Below(o, dir); return in }) {
			outer = append(outer, dir)
			st, err := j.FS.Lstat(dir)
			files[dir] = err == nil && st.Type != sandbox.Dir
		}
	}
	return outer, files
}
