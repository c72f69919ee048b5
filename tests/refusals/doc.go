// Package refusals proves each rule by a jail that does harm under plain bwrap,
// is refused by ocjail for that rule, and has a harmless twin that runs.
package refusals
