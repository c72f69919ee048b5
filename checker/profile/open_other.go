//go:build !linux

package profile

const openPath = 0
