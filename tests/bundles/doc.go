// Package bundles tests what becomes of an organisation's bundles on a machine: by real
// launches and real pulls as processes, many at once, killed, and with whatever is bad
// between the publisher and the jail.
package bundles
