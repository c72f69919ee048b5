package config

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// These structs are the schema of ocjail.hcl: hclfile.Decode reads into them, and
// Reference makes the documentation of their doc tags.

type rawConfig struct {
	Rules         []rawRule   `hcl:"rule,block" doc:"Changes how the findings of one rule count, named by its ID."`
	Watches       []rawWatch  `hcl:"watch,block" doc:"A host path that matters, beside those that ocjail knows. Begins with ~/, {project}/ or /."`
	Policies      []rawPolicy `hcl:"policy,block" doc:"Further rules, under a name of their own. They only add findings."`
	Waivers       []rawWaiver `hcl:"waive,block" doc:"A named exception for one rule. In a less trusted file it counts only where the rule is waivable. One that has expired, names no rule or would cover everything is a finding."`
	Protect       *[]string   `hcl:"protect,optional" doc:"Paths of the project that are read-only in the jail where they exist and git does not track them. In the most trusted file this replaces ocjail's own list, in the others it adds to it."`
	ProtectRange  hcl.Range   `hcl:"protect,attr_value_range"`
	Review        *[]string   `hcl:"review,optional" doc:"Paths and patterns of the project that are looked at when a session ends, beside ocjail's own list."`
	ReviewRange   hcl.Range   `hcl:"review,attr_value_range"`
	LongestWaiver *string     `hcl:"longest_waiver,optional" doc:"How many days ahead a waiver of a less trusted file may expire, as in \"90d\"."`
	LongestRange  hcl.Range   `hcl:"longest_waiver,attr_value_range"`
	Gate          *rawGate    `hcl:"gate,block" doc:"How a launch is judged."`
	Log           *rawLog     `hcl:"log,block" doc:"The log of decisions, decisions.jsonl in ocjail's state directory."`
}

type rawRule struct {
	ID            string           `hcl:"id,label"`
	Severity      *string          `hcl:"severity,optional" doc:"\"error\" refuses a launch, \"warning\" and \"info\" do not. What the rule itself finds less serious stays less."`
	SeverityRange hcl.Range        `hcl:"severity,attr_value_range"`
	Mode          *string          `hcl:"mode,optional" doc:"\"observe\" reports the findings and lets the jail start, to try a rule out; \"enforce\" is the default."`
	ModeRange     hcl.Range        `hcl:"mode,attr_value_range"`
	Waivable      *bool            `hcl:"waivable,optional" doc:"Less trusted files may loosen and waive the rule, until one tightens it (severity, mode) without saying this."`
	Params        *hclfile.Literal `hcl:"params,optional" doc:"What the rule is told: an object of its parameters, which ocjail rules ID names with their defaults. A file may say it of rules of its own layer or of a less trusted one, and of those that are waivable; of ocjail's own rules the most trusted file may. Each parameter is by itself, and what a more trusted file says of it stays."`
	Range         hcl.Range        `hcl:",def_range"`
}

type rawWatch struct {
	Path       string    `hcl:"path,label"`
	PathRange  hcl.Range `hcl:"path,label_range"`
	Class      string    `hcl:"class" doc:"\"secret\": no jail may read it. \"host-executed\": the host runs or obeys it, so no jail may write it. \"agent-work\": writing it is an info. \"socket\" and \"device\": no jail may reach it."`
	ClassRange hcl.Range `hcl:"class,attr_value_range"`
	Reason     string    `hcl:"reason,optional" doc:"One clause for the finding."`
	Range      hcl.Range `hcl:",def_range"`
}

type rawPolicy struct {
	Name         string    `hcl:"name,label"`
	Source       string    `hcl:"source" doc:"A folder with .rego and .wasm files (and lists in data/), one such file, or a bundle (NAME.tar.gz): absolute, below ~/ or relative to this file. A project's lies in the project. Or where ocjail bundle pull fetches a bundle from, which needs keys: oci://HOST/REPOSITORY:TAG, or @sha256:DIGEST in the tag's place, or https://HOST/PATH."`
	SourceRange  hcl.Range `hcl:"source,attr_value_range"`
	Keys         *[]string `hcl:"keys,optional" doc:"Files of public keys, of which one must have signed the bundle; two while one takes the place of the other. Without it no signature is demanded, and the bundle must belong to whom this file may belong to."`
	KeysRange    hcl.Range `hcl:"keys,attr_value_range"`
	WarnAfter    *string   `hcl:"warn_after,optional" doc:"Of a bundle that is fetched: after how many days without ocjail bundle pull a launch warns, \"7d\" by default."`
	WarnRange    hcl.Range `hcl:"warn_after,attr_value_range"`
	RefuseAfter  *string   `hcl:"refuse_after,optional" doc:"Likewise, after how many days nothing starts, \"30d\" by default."`
	RefuseRange  hcl.Range `hcl:"refuse_after,attr_value_range"`
	Refresh      *string   `hcl:"refresh,optional" doc:"Of a bundle that is fetched: \"manual\" (the default) leaves it to ocjail bundle pull, \"background\" has a launch also fetch it again, after the jail was started and at most once an hour, for the user who started it."`
	RefreshRange hcl.Range `hcl:"refresh,attr_value_range"`
	TokenFile    *string   `hcl:"token_file,optional" doc:"The file of a bearer token for an https:// source. For oci:// the Docker configuration has the credentials."`
	TokenRange   hcl.Range `hcl:"token_file,attr_value_range"`
	Range        hcl.Range `hcl:",def_range"`
}

type rawWaiver struct {
	Rule         string    `hcl:"rule,label"`
	Subject      string    `hcl:"subject" doc:"Pattern of the finding's subject, a path or a name: * is a part of a path's component, ** any number of components; ~/ and {project}/ may come first."`
	SubjectRange hcl.Range `hcl:"subject,attr_value_range"`
	Reason       string    `hcl:"reason" doc:"Why. It is printed with the finding."`
	Owner        string    `hcl:"owner" doc:"Whom to ask."`
	Expires      string    `hcl:"expires" doc:"The last day on which it counts, YYYY-MM-DD, UTC."`
	ExpiresRange hcl.Range `hcl:"expires,attr_value_range"`
	Range        hcl.Range `hcl:",def_range"`
}

type rawGate struct {
	Mode          *string   `hcl:"mode,optional" doc:"\"enforce\" refuses a jail that breaks a rule, \"observe\" reports, logs and starts it."`
	ModeRange     hcl.Range `hcl:"mode,attr_value_range"`
	Timeout       *string   `hcl:"timeout,optional" doc:"For all rules together, 2s by default and at most 1m. No verdict by then is a refusal. A project can only shorten it."`
	TimeoutRange  hcl.Range `hcl:"timeout,attr_value_range"`
	Project       *[]string `hcl:"project,optional" doc:"What the project's files may loosen: \"observe\", or nothing."`
	ProjectRange  hcl.Range `hcl:"project,attr_value_range"`
	Review        *string   `hcl:"review,optional" doc:"What becomes of what a session changed among the files that the host runs later: \"report\" (the default) tells of it, \"ask\" asks on a terminal, \"revert\" puts it back, \"off\" does not look. A less trusted file can only make it stricter, in the order off, report, ask, revert."`
	ReviewRange   hcl.Range `hcl:"review,attr_value_range"`
	Inform        *bool     `hcl:"inform,optional" doc:"Whether a jail is told of itself: OCJAIL=1, a description and instructions for opencode in /run/ocjail, read-only. True by default; every file may say so, for nothing is loosened by it."`
	InformRange   hcl.Range `hcl:"inform,attr_value_range"`
	Approval      *string   `hcl:"approval,optional" doc:"When a person is asked before a launch: \"widening\" when the jail may do more than was last approved in this project (see ocjail approve), \"off\" never. Where no file says it is \"widening\" for the jails of the devenv module, which the project writes, and \"off\" for others. A project can not switch it off."`
	ApprovalRange hcl.Range `hcl:"approval,attr_value_range"`
}

type rawLog struct {
	Required      bool      `hcl:"required" doc:"A jail whose decision can not be logged is not started."`
	RequiredRange hcl.Range `hcl:"required,attr_value_range"`
}
