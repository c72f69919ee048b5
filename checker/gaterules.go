package checker

import (
	"slices"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
	"github.com/refnil/opencode-jail-devenv/checker/manifest"
)

// The checks that need no rule language: what bwrap itself would do to the host
// while it sets the jail up. Like rules they can be given another severity.
const (
	ruleEffect  = "gate/host-effect"
	ruleSteered = "gate/steerable-destination"
	ruleRoot    = "gate/root"
	ruleTilde   = "gate/tilde"
	ruleJoins   = "gate/namespace-descriptor"
	ruleProgram = "gate/own-program"
)

// manual is bwrap's manual page.
const manual = "https://manpages.debian.org/bookworm/bubblewrap/bwrap.1.en.html"

// gateRules says of these checks what METADATA says of the pack's rules.
var gateRules = []engine.Rule{
	{
		ID: ruleEffect, Severity: finding.Error, Title: "Setting the jail up changes the host's files",
		Description: "Below a writable bind, bwrap makes the directories and files that its options name, empties a file that --file names and " +
			"changes modes, all of it on the host and before the command starts (bwrap(1)). What is made stays behind, and an empty " +
			".git/commondir or devenv.local.nix breaks git and devenv.",
		Remedy: "make the directory yourself beforehand, or point the option outside the writable mount",
		URL:    manual,
		Avoid:  &engine.Example{Bwrap: "--tmpfs ~/app/.cache"},
		Prefer: &engine.Example{Bwrap: "--tmpfs ~/app/.cache", Setup: "mkdir .cache"},
	},
	{
		ID: ruleSteered, Severity: finding.Error, Title: "A symbolic link that the agent can change decides where a mount goes",
		Description: "bwrap follows symbolic links in the destination of a mount, a relative one inside the jail and an absolute one in the place " +
			"where it builds it. An agent that can replace such a link moves the next jail's mount, and so uncovers what it hid or " +
			"lets bwrap write to the host (path_resolution(7)).",
		Remedy: "name the directory itself as the destination, or replace the link by a directory",
		URL:    "https://man7.org/linux/man-pages/man7/path_resolution.7.html",
		Avoid:  &engine.Example{Bwrap: "--tmpfs ~/app/build", Setup: "mkdir out && ln -s out build"},
		Prefer: &engine.Example{Bwrap: "--tmpfs ~/app/out", Setup: "mkdir out && ln -s out build"},
	},
	{
		ID: ruleRoot, Severity: finding.Error, Title: "The jail is started by root",
		Description: "In the host's user namespace root owns the kernel's settings: a jail of root's that shares it mounted /proc anew and set " +
			"core_pattern, which the kernel runs outside (core(5)). Started through sudo, it is root's jail though a person meant their own.",
		Remedy: "run it as yourself, without sudo; where only root is there, as in a container, add --unshare-user",
		URL:    "https://man7.org/linux/man-pages/man7/user_namespaces.7.html",
		Avoid:  &engine.Example{Given: "started by root"},
		Prefer: &engine.Example{Given: "started by root", Bwrap: "--unshare-user"},
	},
	{
		ID: ruleTilde, Severity: finding.Info, Title: "~/ was expanded",
		Description: "A shell expands ~/ but for quotes, and jail.nix quotes what it is given, so that bwrap would look for a folder named ~. " +
			"ocjail takes it for the home directory, as the one who wrote it meant, and says so.",
		Remedy: "write the path out",
		URL:    manual,
		Avoid:  &engine.Example{Bwrap: "--ro-bind '~/notes' '~/notes'"},
		Prefer: &engine.Example{Bwrap: "--ro-bind ~/notes ~/notes"},
	},
	{
		ID: ruleJoins, Severity: finding.Error, Title: "A namespace comes from a descriptor",
		Description: "A namespace that somebody else made may hold any rights and any mounts, and bwrap joins it unseen (setns(2)). " +
			"What such a jail may do can not be told before it starts.",
		Remedy: "use --unshare-user and --unshare-pid instead",
		URL:    "https://man7.org/linux/man-pages/man2/setns.2.html",
		Avoid:  &engine.Example{Bwrap: "--userns 9"},
		Prefer: &engine.Example{Bwrap: "--unshare-user"},
	},
	{
		ID: ruleProgram, Severity: finding.Error, Title: "The jail can write the program that builds it",
		Description: "Whoever can write bwrap or ocjail needs no way out of this jail: the next one is built by what the agent put there. " +
			"That program runs unjailed, with all that the user may do.",
		Remedy: "install both outside of what the jail may write, for instance in /usr/local/bin",
		URL:    manual,
		Avoid:  &engine.Example{Given: "bwrap lies in ~/tools", Bwrap: "--bind ~/tools ~/tools"},
		Prefer: &engine.Example{Given: "bwrap lies in ~/tools", Bwrap: "--ro-bind ~/tools ~/tools"},
	},
	{
		ID: manifest.RuleUndecided, Severity: finding.Warning, Title: manifest.TitleUndecided,
		Description: "A permission of jail.nix may be shell code that adds options when the jail starts: a variable's value, a folder that it looks for. " +
			"A lint can not know them, and says which permission it is; the gate judges what they have become, before anything starts.",
		Remedy: "where a fixed path will do, write the fixed path",
		URL:    "https://git.sr.ht/~alexdavid/jail.nix",
	},
}

// ownRule returns the one of gate/… or config/… with this ID, which must be there.
func ownRule(id string) engine.Rule {
	for _, r := range slices.Concat(gateRules, reviewRules, configRules) {
		if r.ID == id {
			return r
		}
	}
	panic("no rule " + id)
}
