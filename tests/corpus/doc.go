// Package corpus holds realistic jails, each with what the rules should say of
// it, to find out where they cry wolf. The machines are made up (a tree of files,
// an environment, a mount table), so that a jail on NixOS or WSL gets the same
// verdict wherever the tests run; all else is real: the facts are gathered, the
// profiles built, the mounts simulated and the rules asked as at a launch.
//
// machines/NAME.hcl describes a machine, jails/NAME.hcl a jail on one: see Machine
// and Jail for what may stand in them. Names in files end as `ls -F` marks them:
// "/" a directory, "*" a program, "=" a socket, "|" a FIFO, "@" a link, whose text
// is the target; "%" is a character device, "#" a block device.
//
// A jail that gets other findings than it expects is shown as a difference. There
// is no option to accept it: read why each line is there or gone, then either mend
// the rule or copy the line, with a reason, into the jail's file.
package corpus
