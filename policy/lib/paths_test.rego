package ocjail.lib.paths_test

import data.ocjail.lib.paths

test_under[note] if {
	some note, tc in {
		"itself": {"path": "/home/u", "dir": "/home/u"},
		"child": {"path": "/home/u/x", "dir": "/home/u"},
		"grandchild": {"path": "/home/u/x/y", "dir": "/home/u"},
		"all is under the root": {"path": "/home/u", "dir": "/"},
		"root is under itself": {"path": "/", "dir": "/"},
		"dir with a final slash": {"path": "/home/u/x", "dir": "/home/u/"},
	}
	paths.under(tc.path, tc.dir)
}

test_not_under[note] if {
	some note, tc in {
		"same letters, other directory": {"path": "/home/u2", "dir": "/home/u"},
		"parent": {"path": "/home", "dir": "/home/u"},
		"unknown directory": {"path": "/home/u", "dir": ""},
		"unknown path": {"path": "", "dir": "/home/u"},
		"both unknown": {"path": "", "dir": ""},
		"unknown path below the root": {"path": "", "dir": "/"},
		"relative": {"path": "home/u/x", "dir": "/home/u"},
	}
	not paths.under(tc.path, tc.dir)
}

test_strictly_under if {
	paths.strictly_under("/a/b", "/a")
	paths.strictly_under("/a", "/")
	not paths.strictly_under("/a", "/a")
	not paths.strictly_under("/", "/")
	not paths.strictly_under("/ab", "/a")
}
