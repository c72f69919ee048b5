package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// listening splits ADDRESS, NETWORK:NAME as in unix:/run/x.sock, unix:@abstract
// and tcp:127.0.0.1:80.
func listening(address string) (network, name string, err error) {
	network, name, ok := strings.Cut(address, ":")
	if !ok {
		err = fmt.Errorf("%q is no NETWORK:NAME", address)
	}
	return network, name, err
}

// serve stands in for the services of a host: it answers at each ADDRESS, notes
// in the file LOG what it is asked to do, and runs the command after "--"
// meanwhile. It ends with the command's status.
func serve(args []string) error {
	end := slices.Index(args, "--")
	if end < 1 || end+1 == len(args) {
		return errors.New("serve LOG ADDRESS… -- COMMAND…")
	}
	log, err := os.OpenFile(args[0], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	for _, address := range args[1:end] {
		network, name, err := listening(address)
		if err != nil {
			return err
		}
		l, err := net.Listen(network, name)
		if err != nil {
			return err
		}
		go answer(l, address, log)
	}
	c := exec.Command(args[end+1], args[end+2:]...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	os.Exit(c.ProcessState.ExitCode())
	return nil
}

// answer obeys one line of each caller.
func answer(l net.Listener, address string, log *os.File) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			line, err := bufio.NewReader(c).ReadString('\n')
			if err != nil {
				return
			}
			// The caller learns of a failed write by the missing answer.
			if _, err := fmt.Fprintf(log, "%s %s", address, line); err == nil {
				fmt.Fprintf(c, "did %s", line)
			}
		}()
	}
}

// ask sends a line to ADDRESS and prints the answer.
func ask(args []string) error {
	network, name, err := listening(args[0])
	if err != nil {
		return err
	}
	c, err := net.Dial(network, name)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := fmt.Fprintln(c, args[1]); err != nil {
		return err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	fmt.Print(line)
	return err
}
