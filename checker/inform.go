package checker

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Where a jail finds what ocjail tells it, read-only: a description of what it may
// reach, and a text that opencode hands to its model. Both are in memory; nothing
// of them is on the host.
const (
	InmateDirectory    = "/run/ocjail"
	InmateDescription  = InmateDirectory + "/jail.json"
	InmateInstructions = InmateDirectory + "/AGENTS.md"
)

// InmateVariable is "1" in every jail that ocjail starts.
const InmateVariable = "OCJAIL"

// agentConfig is the variable with a whole opencode.json, which opencode merges
// with the user's files: lists of instructions are put one behind the other, and
// what it does not name stays (opencode 1.18, config/config.ts).
const agentConfig = "OPENCODE_CONFIG_CONTENT"

// Numbers that stand for the two files until the gate has made them.
const (
	DescriptionFD  = -2
	InstructionsFD = -3
)

const tells = "tells the jail what it may reach"

// tell takes the first of the variants that can be: no jail fails for what its inmate is
// told.
func (j *Jail) tell() (err error) {
	again := j.simulation()
	again.Like = j.Plain
	for _, s := range j.variants {
		j.Sandbox = s
		if j.Tree, err = s.Simulate(again); err == nil && j.toldOnly() {
			return nil
		}
	}
	return err
}

// toldOnly tells whether what is told is found in the jail, changes nothing on the
// host, and hangs on no link that a jail can replace.
func (j *Jail) toldOnly() bool {
	ours := func(option int) bool { return j.Sandbox.Options[option].Added == tells }
	if slices.ContainsFunc(j.Tree.Effects, func(e sandbox.Effect) bool { return ours(e.Option) }) ||
		slices.ContainsFunc(j.Tree.Links, func(l sandbox.LinkUse) bool { return ours(l.Option) }) {
		return false
	}
	files := func(o sandbox.Option) bool { return o.Added == tells && o.Name == "--file" }
	if !slices.ContainsFunc(j.Sandbox.Options, files) {
		return true
	}
	// A link on the way may have led out of the jail.
	at, err := j.Tree.Access(InmateDescription)
	return err == nil && at.Exists && at.Mount.Kind == sandbox.MountTmpfs
}

// informed returns s with what tells its inmate of the jail, the most telling first
// and s itself last. owned is what ownsPlace says. The files go where nothing of the host is: a place made there
// would stay on it.
func (r Request) informed(s *sandbox.Sandbox, owned bool) []*sandbox.Sandbox {
	if !r.Config.Gate.Inform || r.startsProxy(s) || len(s.Words())+len(s.Command)+spareWords > sandbox.MaxArgs {
		return []*sandbox.Sandbox{s}
	}
	told := s.Clone()
	add := func(name string, args ...string) {
		told.Options = append(told.Options, sandbox.Option{Name: name, Args: args, Added: tells})
	}
	add("--setenv", InmateVariable, "1")
	if !owned {
		return []*sandbox.Sandbox{told, s}
	}
	brief := told.Clone()
	// One mount for all, which is cheaper than one a file.
	add("--size", "1048576")
	add("--tmpfs", InmateDirectory)
	add("--perms", "0444")
	add("--file", strconv.Itoa(DescriptionFD), InmateDescription)
	if config, ok := withInstructions(value(s.Environment(r.Environ), agentConfig)); ok {
		add("--perms", "0444")
		add("--file", strconv.Itoa(InstructionsFD), InmateInstructions)
		add("--setenv", agentConfig, config)
	}
	add("--remount-ro", InmateDirectory)
	return []*sandbox.Sandbox{told, brief, s}
}

// spareWords is how many words of bwrap's a launch may still need, these included.
const spareWords = 100

// startsProxy: the bus proxy's own jail has nobody to tell.
func (r Request) startsProxy(s *sandbox.Sandbox) bool {
	return r.BusProxy != "" && len(s.Command) > 0 && s.Command[0] == r.BusProxy
}

// ownsPlace tells whether InmateDirectory would be made in memory.
func ownsPlace(tree *sandbox.Tree) bool {
	at, err := tree.Access(InmateDirectory)
	return err == nil && !at.Exists && at.Mount != nil && at.Mount.Kind == sandbox.MountTmpfs && at.Access == sandbox.Scratch
}

func value(env []sandbox.Variable, name string) string {
	for _, v := range env {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

// withInstructions adds the instructions to an opencode.json. One that is no plain
// JSON, such as with comments, or that has something else for instructions, is
// left alone: ok is false.
func withInstructions(config string) (merged string, ok bool) {
	settings := map[string]json.RawMessage{}
	if config != "" && json.Unmarshal([]byte(config), &settings) != nil {
		return "", false
	}
	if settings == nil {
		return "", false // null
	}
	var list []string
	if old := settings["instructions"]; old != nil && json.Unmarshal(old, &list) != nil {
		return "", false
	}
	if !slices.Contains(list, InmateInstructions) {
		list = append(list, InmateInstructions)
	}
	text, err := json.Marshal(list)
	if err != nil {
		return "", false
	}
	settings["instructions"] = text
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(settings); err != nil {
		return "", false
	}
	return string(bytes.TrimSpace(b.Bytes())), true
}
