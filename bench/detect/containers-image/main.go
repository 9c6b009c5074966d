// Asks for the digests of tags as Diun does: one process, a number of workers, and for each tag a client of its own of
// go.podman.io/image (Diun v4.33, internal/app/job.go and pkg/registry/manifest.go). Not Diun itself: no schedule, no database.
//
//	containers-image WORKERS < references
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"go.podman.io/image/v5/docker"
	"go.podman.io/image/v5/types"
)

func main() {
	workers, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	names := make(chan string)
	var group sync.WaitGroup
	var failed atomic.Bool
	for range workers {
		group.Go(func() {
			for name := range names {
				if err := ask(name); err != nil {
					fmt.Fprintln(os.Stderr, err)
					failed.Store(true)
				}
			}
		})
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		names <- lines.Text()
	}
	close(names)
	group.Wait()
	if failed.Load() {
		os.Exit(1)
	}
}

func ask(name string) error {
	reference, err := docker.ParseReference("//" + name)
	if err != nil {
		return err
	}
	_, err = docker.GetDigest(context.Background(), &types.SystemContext{}, reference)
	return err
}
