package entra_test

import (
	"fmt"
	"io"
	"log"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/otpost/otpost/proof/rig"
)

// workers is how many messages one server sends at the same time: more than ever wait for a slow answer.
const workers = 160

// provider is a mail server that misbehaves as the scripts of its recipients say, and knows what it took and which of
// its answers nobody can have read.
type provider struct {
	address string
	seed    uint64

	mu sync.Mutex
	// faulty is whether scripts are played; server is nil while the provider cannot be reached.
	faulty bool
	server *smtp.Server
	closed chan struct{}
	met    map[fault]int
	people map[string]*person
}

// person is a recipient as the provider knows it.
type person struct {
	messages int
	mails    []*mail
	// lost is how many messages began to come in whose answer has not left.
	lost int
	// refused is whether a message was refused for good.
	refused bool
}

// mail is a message that was taken, and from which server. answered is set once the answer has left.
type mail struct {
	code, from string
	at         time.Time
	answered   bool
}

func startProvider(t *testing.T, seed uint64) *provider {
	t.Helper()
	p := &provider{address: rig.FreeAddress(t), seed: seed, met: map[fault]int{}, people: map[string]*person{}}
	p.open(t)
	t.Cleanup(p.shut)
	return p
}

// settings make a server send to the provider under a name of its own, many messages at a time.
func (p *provider) settings(name string) rig.Settings {
	s := rig.MailTo(p.address)
	s["mail_url"] += fmt.Sprintf("&connections=%d&helo=%s", workers, name)
	return s.With(rig.Settings{"outbox_workers": strconv.Itoa(workers)})
}

// open lets the provider be reached.
func (p *provider) open(t *testing.T) {
	t.Helper()
	l := rig.Listen(t, p.address)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = make(chan struct{})
	closed := p.closed
	p.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{provider: p, conn: c.Conn().(*conn), name: c.Hostname(), closed: closed}, nil
	}))
	p.server.Domain = "provider.example.test"
	p.server.ErrorLog = log.New(io.Discard, "", 0) // what it would complain of is what it is for
	go p.server.Serve(&listener{l})
}

// shut cuts all connections and refuses new ones.
func (p *provider) shut() {
	p.mu.Lock()
	server := p.server
	p.server = nil
	if server != nil {
		close(p.closed)
		p.met[unreachable]++
	}
	p.mu.Unlock()
	if server != nil {
		server.Close()
	}
}

// misbehave lets scripts be played from now on, or not.
func (p *provider) misbehave(faulty bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faulty = faulty
}

// next is what the next message to a recipient meets.
func (p *provider) next(to string) (fault, script) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.person(to)
	who.messages++
	s := script{fault: healthy}
	if p.faulty {
		s = scriptFor(p.seed, to)
	}
	f := s.meets(who.messages)
	p.met[f]++
	who.refused = who.refused || f.forGood()
	return f, s
}

// person is called under the lock.
func (p *provider) person(to string) *person {
	who := p.people[to]
	if who == nil {
		who = &person{}
		p.people[to] = who
	}
	return who
}

// begin is called when a message begins to come in: its client may have written all of it long before it is read here.
func (p *provider) begin(to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.person(to).lost++
}

// take remembers a message.
func (p *provider) take(to string, m *mail) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.person(to)
	who.mails = append(who.mails, m)
}

// answered is called when the answer to a message has left. m is nil for one that was not taken.
func (p *provider) answered(to string, m *mail) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.person(to).lost--
	if m != nil {
		m.answered = true
	}
}

// truth is what the provider knows of a recipient. It is read once nothing is under way any more.
func (p *provider) truth(to string) person {
	p.mu.Lock()
	defer p.mu.Unlock()
	if who := p.people[to]; who != nil {
		return *who
	}
	return person{} // nobody the provider has heard of
}
