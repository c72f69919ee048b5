// Package packages tests the Debian package and the RPM: it makes them, installs each
// into a root with nothing else in it, as dpkg and rpm do, and starts jails from there,
// also under an organisation's configuration.
package packages
