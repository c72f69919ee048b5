package ocjail.rules.session.tiocsti_test

import data.ocjail.fixtures
import data.ocjail.rules.session.tiocsti as rule

open := {"new_session": false, "die_with_parent": true, "tiocsti_filter": false, "terminal": true}

session(more) := fixtures.jail({"session": object.union(open, more)})

test_violating if {
	every legacy in [null, true] {
		doc := fixtures.with_host(session({}), {"legacy_tiocsti": legacy})
		count(rule.findings) == 1 with input as doc
	}
}

test_lint_cannot_know_the_terminal if {
	count(rule.findings) == 1 with input as object.union(session({"terminal": false}), {"phase": "lint"})
}

test_orphan_reads_the_terminal if {
	found := rule.findings with input as session({"new_session": true, "die_with_parent": false})
	{f.remedy | some f in found} == {{"text": "add", "options": ["--die-with-parent"]}}
}

test_clean if {
	rule.findings == set() with input as fixtures.clean
}

test_near_miss[note] if {
	some note, doc in {
		"new session": session({"new_session": true}),
		"filter": session({"tiocsti_filter": true}),
		"the kernel forbids it": fixtures.with_host(session({}), {"legacy_tiocsti": false}),
		"no terminal": session({"terminal": false}),
		"orphan in the caller's session": session({"tiocsti_filter": true, "die_with_parent": false}),
	}
	rule.findings == set() with input as doc
}
