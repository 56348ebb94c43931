package b2c

import "strings"

// asks reports whether a person can type or choose here; open, whether that is in one place.
func (f *fieldView) asks() bool { return !f.Locked && f.Widget != "text" }
func (f *fieldView) open() bool { return f.asks() && (f.Widget == "input" || f.Widget == "select") }

// Described are the ids of what is said of the field beside its label.
func (f *fieldView) Described() string {
	var ids []string
	if f.Fault != "" {
		ids = append(ids, f.ID+"-fault")
	}
	if f.Told != "" {
		ids = append(ids, f.Told)
	}
	if f.Help != "" {
		ids = append(ids, f.ID+"-help")
	}
	return strings.Join(ids, " ")
}

// FaultID is the id of the control's fault.
func (c *controlView) FaultID() string { return "c-" + c.ID + "-fault" }

func (c *controlView) verifies() bool { return c.Type == "VerificationControl" }

// order says which button comes first. The browser's own rule is that Enter presses the first of the page, which is the one
// that changes an address once that is verified.
func (s *sheet) order() {
	first := true
	for _, line := range s.Lines {
		c := line.Control
		if c == nil || !c.verifies() {
			continue
		}
		if !c.Verified {
			s.Pending = true
			switch {
			case first:
			case c.Sent:
				s.Default = doVerify + ":" + c.ID
			default:
				s.Default = doSend + ":" + c.ID
			}
			return
		}
		first = false
	}
	if !first && s.Continue != "" {
		s.Default = doContinue
	}
}

// place is a field with the control that it is in.
type place struct {
	*fieldView
	control *controlView
}

// focus puts the cursor where the person goes on, and ties what went wrong to it. On a first visit it stays at the top where
// there is something to read first.
func (s *sheet) focus() {
	var asked, open []place
	after, read := 0, false
	for _, line := range s.Lines {
		fields := []*fieldView{line.Field}
		if c := line.Control; c != nil {
			fields = c.Fields
			read = read || len(open) == 0 && !c.verifies()
			if c.ID == s.at {
				after = len(open)
			}
		}
		for _, f := range fields {
			if f.asks() {
				asked = append(asked, place{f, line.Control})
			}
			if f.open() {
				open = append(open, place{f, line.Control})
			}
		}
	}
	if s.Fault != "" {
		if !s.accuse(asked) {
			s.blame(open, after)
		}
		return
	}
	switch posted := s.typed != nil; {
	case after < len(open):
		open[after].Focus = posted || !read
	case posted:
		s.Ready = true
	}
}

// accuse tells the fault at the field whose value was not taken, if that is on the page. Where several show the claim, it is
// the one at the button that was pressed.
func (s *sheet) accuse(asked []place) bool {
	var wrong *fieldView
	for _, f := range asked {
		if s.wrong == "" || f.Claim != s.wrong {
			continue
		}
		if pressed := f.control != nil && f.control.ID == s.at; wrong == nil || pressed {
			wrong = f.fieldView
		}
	}
	if wrong == nil {
		return false
	}
	wrong.Fault, wrong.Invalid, wrong.Focus, s.FaultAt = s.Fault, true, true, wrong.ID
	s.unsay()
	return true
}

// blame ties the fault to where it came up, since nobody knows which field it is of.
func (s *sheet) blame(open []place, after int) {
	if s.FaultAt != "" {
		if after < len(open) && open[after].control != nil && open[after].control.ID == s.at {
			f := open[after]
			f.Told, f.Focus, f.Invalid = f.control.FaultID(), true, s.do == doVerify && f.Code
		}
		return
	}
	if len(open) == 0 {
		return
	}
	f := open[0]
	f.Focus = true
	if len(open) == 1 && f.control == nil {
		f.Fault, f.Invalid, s.FaultAt = s.Fault, f.Code, f.ID
		return
	}
	f.Told = "fault"
}

// unsay keeps a fault that is told at a field from being told at its control too.
func (s *sheet) unsay() {
	for _, line := range s.Lines {
		if line.Control != nil {
			line.Control.Fault = ""
		}
	}
}
