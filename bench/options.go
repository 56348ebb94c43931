package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/otpost/otpost/bench/internal/load"
	"github.com/otpost/otpost/bench/internal/report"
)

// options are the flags, read.
type options struct {
	otpost    string
	databases []string
	loads     []load.Kind
	workers   []int
	nodes     []int
	duration  time.Duration
	warmup    time.Duration
	repeat    int
	patience  time.Duration
	settle    time.Duration
	limits    time.Duration
	rate      arrivals
	fsyncs    time.Duration
	env       []string
	dir       string
	profile   string
	json      string
}

// defaultEnv are the settings every server is started with, beside its addresses. They raise the one limit that a load
// would meet, and leave it on, since spending it is part of the work; every passcode has an address of its own, so no
// other limit is met.
func defaultEnv() []string {
	return []string{"OTPOST_LIMIT_APPLICATION=1000000000/1h"}
}

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{env: defaultEnv()}
	var databases, loads, workers, nodes, rate string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.otpost, "otpost", "", "the otpost `program`; empty builds ./cmd/otpost")
	flags.StringVar(&databases, "database", "sqlite", "sqlite, postgres or both, with a comma")
	flags.StringVar(&loads, "load", "w1,w2,w3", "the loads")
	flags.StringVar(&workers, "workers", "1,8,64", "the numbers of workers")
	flags.StringVar(&nodes, "nodes", "1", "the numbers of otposts over one database; more than one over postgres alone")
	flags.DurationVar(&o.duration, "duration", 6*time.Second, "how long one run lasts")
	flags.DurationVar(&o.warmup, "warmup", time.Second, "how long the server is warmed up before the runs of a series")
	flags.IntVar(&o.repeat, "repeat", 3, "how many runs a series has")
	flags.DurationVar(&o.patience, "patience", 30*time.Second, "how long a code may take before it is missing")
	flags.DurationVar(&o.settle, "settle", time.Second, "how long the ready server rests before its idle memory is read")
	flags.DurationVar(&o.limits, "limits", time.Second, "how long each limit of the machine is measured; 0 skips them")
	flags.StringVar(&rate, "rate", "", "adds the open loop: cycles a second, or a `share` of the closed loop's such as 50%")
	flags.DurationVar(&o.fsyncs, "fsyncs", 0, "how long a further run of each closed series has its fsyncs counted, by strace on sqlite")
	flags.Func("env", "a further setting of the server, `NAME=value`; may be repeated", func(entry string) error {
		if name, _, ok := strings.Cut(entry, "="); !ok || name == "" {
			return errors.New("want NAME=value")
		}
		o.env = append(o.env, entry)
		return nil
	})
	flags.StringVar(&o.dir, "dir", "", "the folder for databases; empty is the system's temporary one")
	flags.StringVar(&o.profile, "cpuprofile", "", "write the server's processor profile of each series' first run to this `file`")
	flags.StringVar(&o.json, "json", "", "write the report as JSON to this `file`; - is the standard output, in place of tables")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q; flags come with a dash", flags.Arg(0))
	}
	return o, errors.Join(o.readDatabases(databases), o.readLoads(loads), o.readWorkers(workers), o.readNodes(nodes), o.readRate(rate), o.check())
}

func (o *options) check() error {
	if o.duration <= 0 || o.warmup < 0 || o.patience <= 0 || o.settle < 0 || o.limits < 0 || o.fsyncs < 0 || o.repeat < 1 {
		return errors.New("-duration, -patience and -repeat must be above 0, -warmup, -settle, -limits and -fsyncs not below it")
	}
	return nil
}

func (o *options) readDatabases(list string) error {
	for name := range strings.SplitSeq(list, ",") {
		if name != sqlite && name != postgres {
			return fmt.Errorf("-database: %q is neither sqlite nor postgres", name)
		}
		o.databases = append(o.databases, name)
	}
	return nil
}

func (o *options) readLoads(list string) error {
	for name := range strings.SplitSeq(list, ",") {
		kind := load.Kind(name)
		if kind != load.W1 && kind != load.W2 && kind != load.W3 {
			return fmt.Errorf("-load: %q is none of w1, w2, w3", name)
		}
		o.loads = append(o.loads, kind)
	}
	return nil
}

func (o *options) readWorkers(list string) error {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > load.MaxWorkers {
			return fmt.Errorf("-workers: %q is no number from 1 to %d", text, load.MaxWorkers)
		}
		o.workers = append(o.workers, n)
	}
	return nil
}

// maxNodes bounds the processes of one database.
const maxNodes = 16

func (o *options) readNodes(list string) error {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxNodes {
			return fmt.Errorf("-nodes: %q is no number from 1 to %d", text, maxNodes)
		}
		o.nodes = append(o.nodes, n)
	}
	return nil
}

func (o *options) readRate(text string) error {
	if text == "" {
		return nil
	}
	number, isShare := strings.CutSuffix(text, "%")
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || !(value > 0 && value <= 1e6) {
		return fmt.Errorf("-rate: %q is neither a number of cycles a second nor a share such as 50%%", text)
	}
	o.rate = arrivals{value: value, share: isShare}
	return nil
}

// arrivals is how often a cycle begins in the open loop; none when the value is 0.
type arrivals struct {
	value float64
	// share says that the value is percent of the closed loop's rate.
	share bool
}

// rate is arrivals a second beside a closed loop of so many cycles a second.
func (a arrivals) rate(closed float64) float64 {
	if a.share {
		return closed * a.value / 100
	}
	return a.value
}

// write writes the report where the flags say.
func (o *options) write(r *report.Report, stdout io.Writer) error {
	switch o.json {
	case "-":
		return r.JSON(stdout)
	case "":
		return r.Text(stdout)
	}
	file, err := os.Create(o.json)
	if err != nil {
		return err
	}
	return errors.Join(r.JSON(file), file.Close(), r.Text(stdout))
}
