# METADATA
# title: Settings of opencode lead nowhere in the jail
# description: >-
#   home-manager, devenv and stow make opencode.json a link to a file elsewhere; where that file is not in the jail,
#   opencode drops the settings without a word, the permissions that they deny included. bwrap binds the link as it is
#   (symlink(7)).
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/symlink.7.html
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: bind what the link leads to, read-only
#   avoid:
#     given: ~/.config/opencode/opencode.json is a link to ~/dotfiles/opencode.json
#     bwrap: --bind ~/.config/opencode ~/.config/opencode
#   prefer: --ro-bind ~/dotfiles/opencode.json ~/dotfiles/opencode.json
package ocjail.rules.agent.dangling_settings

import data.ocjail.lib.findings

findings contains findings.new(
	sprintf("%s is a link to %s, which is not in the jail: opencode would run without these settings, and without what they forbid", [link.path, link.target]),
	{"kind": "path", "path": link.path},
	findings.add("add", ["--ro-bind", link.target, link.target]),
) if {
	input.agent.runs
	some link in input.agent.dangling
}
