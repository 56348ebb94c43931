// Package report holds what a bench run measured, and writes it as JSON and as tables for people.
package report

import (
	"encoding/json"
	"io"
	"time"
)

// Report is a whole run. Times are in milliseconds, sizes in bytes.
type Report struct {
	Began    time.Time `json:"began"`
	Machine  Machine   `json:"machine"`
	Duration float64   `json:"duration_seconds"`
	Repeats  int       `json:"repeats"`
	Limits   []Limit   `json:"limits"`
	Servers  []Server  `json:"servers"`
	Rows     []Row     `json:"rows"`
}

// Machine is where the run took place.
type Machine struct {
	System string `json:"system"`
	CPUs   int    `json:"cpus"`
	Go     string `json:"go"`
	// FileSystem is the kind that held the databases.
	FileSystem string `json:"file_system"`
}

// Limit is a ceiling of the machine.
type Limit struct {
	Name      string  `json:"name"`
	PerSecond float64 `json:"per_second"`
	P99       float64 `json:"p99_ms"`
}

// Server is one otpost from start to stop, the first of its nodes; every load has its own, over an empty database.
type Server struct {
	Database string `json:"database"`
	Load     string `json:"load"`
	Nodes    int    `json:"nodes"`
	// ReadyFirst is from start to ready over an empty database, ReadyAgain over the same one after a restart.
	ReadyFirst float64 `json:"ready_first_ms"`
	ReadyAgain float64 `json:"ready_again_ms"`
	IdleRSS    int64   `json:"idle_rss_bytes"`
	// Strays are messages that no cycle asked for, or that held no code.
	Strays int64 `json:"strays"`
}

// Row is one load at one number of workers, over all repeats.
type Row struct {
	Database string `json:"database"`
	Load     string `json:"load"`
	// Loop is "closed" or "open".
	Loop    string `json:"loop"`
	Workers int    `json:"workers"`
	// Nodes is how many otposts shared the database.
	Nodes int `json:"nodes"`
	// Offered is the arrivals a second of the open loop, 0 in the closed one.
	Offered float64 `json:"offered_per_second,omitempty"`
	// Rate is the median of Rates, right cycles a second; Trivial the median of TrivialRates, which were measured in
	// between; Share is the one in the other, 0 in the open loop.
	Rate         float64   `json:"cycles_per_second"`
	Rates        []float64 `json:"repeats_cycles_per_second"`
	Trivial      float64   `json:"trivial_per_second,omitempty"`
	TrivialRates []float64 `json:"repeats_trivial_per_second,omitempty"`
	Share        float64   `json:"share_of_trivial,omitempty"`
	// Cycles is how many right ones the repeats had together.
	Cycles int64  `json:"cycles"`
	Steps  []Step `json:"steps"`

	// Troubles counts everything that went wrong, warm-up included, by what it was. Missing, Surplus and Unaccepted are
	// passcodes that never arrived, arrived again, or arrived though they were not accepted.
	Troubles   map[string]int64 `json:"troubles,omitempty"`
	Missing    int64            `json:"missing"`
	Surplus    int64            `json:"surplus"`
	Unaccepted int64            `json:"unaccepted"`

	// Processor seconds for 1,000 cycles: of the server, of the database server, and of the bench with its mail sink.
	ServerCPU   float64 `json:"server_cpu_seconds_per_1000"`
	DatabaseCPU float64 `json:"database_cpu_seconds_per_1000,omitempty"`
	BenchCPU    float64 `json:"bench_cpu_seconds_per_1000"`
	// RSS is the memory of all nodes at the end of the row, PeakRSS the most each had until then.
	RSS     int64 `json:"rss_bytes"`
	PeakRSS int64 `json:"peak_rss_bytes"`
	// Written is bytes to storage a cycle, server and database server together, and Passed what they handed to write
	// calls, sockets included; -1 where the kernel does not say.
	Written float64 `json:"written_bytes_per_cycle"`
	Passed  float64 `json:"passed_bytes_per_cycle"`
	// Syncs is how often a file was forced to the disk for a cycle, -1 where that was not counted.
	Syncs float64 `json:"fsyncs_per_cycle"`
}

// Step is how long one part of a cycle took.
type Step struct {
	Name  string  `json:"name"`
	Count int64   `json:"count"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p99_9_ms"`
	Max   float64 `json:"max_ms"`
}

// Errors is how many cycles went wrong.
func (r *Row) Errors() int64 {
	var sum int64
	for _, n := range r.Troubles {
		sum += n
	}
	return sum
}

// Failed says whether anything was not as it has to be.
func (r *Report) Failed() bool {
	for _, s := range r.Servers {
		if s.Strays > 0 {
			return true
		}
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Errors()+row.Missing+row.Surplus+row.Unaccepted > 0 || row.Cycles == 0 {
			return true
		}
	}
	return false
}

// JSON writes the report as one indented object.
func (r *Report) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
