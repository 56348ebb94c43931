package extension

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Fault is what is wrong with an event.
type Fault string

// The faults of an event.
const (
	NotJSON     Fault = "not_json"
	WrongType   Fault = "wrong_type"
	WrongEvent  Fault = "wrong_event"
	Missing     Fault = "missing"
	Conflicting Fault = "conflicting"
	TooDeep     Fault = "too_deep"
)

// DecodeError says which member of an event is at fault, and how. It never holds a value.
type DecodeError struct {
	Fault Fault
	// Member is a path such as "data.otpContext.identifier", empty for the whole body.
	Member string
}

func (e *DecodeError) Error() string {
	switch e.Fault {
	case NotJSON:
		return "the body is not one JSON object"
	case WrongType:
		return fmt.Sprintf("%s has the wrong JSON type", e.Member)
	case WrongEvent:
		return fmt.Sprintf("%s does not name the OnOtpSend event", e.Member)
	case Missing:
		return fmt.Sprintf("%s is missing", e.Member)
	case Conflicting:
		return fmt.Sprintf("%s is given twice with different values", e.Member)
	default:
		return "the body is nested too deeply"
	}
}

// Decode reads an event and is as tolerant as the contract is loose: names match in any case (both oneTimeCode and
// onetimecode are in use), members come in any order, unknown ones are skipped, and null is the same as absent
// everywhere. An optional member of the wrong type is as good as absent too: no code stays unsent because of a locale.
//
// What cannot be missing is an identifier, a code, a tenant id and a type. These may come twice only if they say the
// same twice, since two readers of one event shall not see two recipients; of any other member the last one counts.
//
// The caller bounds the size by the slice and the nesting by depth. The error is a *DecodeError.
func Decode(body []byte, depth int) (Event, error) {
	if nesting(body) > depth {
		return Event{}, &DecodeError{Fault: TooDeep}
	}
	var in loose
	if err := json.Unmarshal(body, &in); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) && wrong.Field != "" {
			return Event{}, &DecodeError{WrongType, wrong.Field}
		}
		return Event{}, &DecodeError{Fault: NotJSON}
	}
	if err := in.check(); err != nil {
		return Event{}, err
	}
	return in.event(), nil
}

// check finds what a receiver cannot do without. One of the two type names is enough, but none may be wrong.
func (in *loose) check() error {
	required := []struct {
		path string
		text *text
	}{
		{"type", &in.Type}, {"data.@odata.type", &in.Data.Type}, {"data.tenantId", &in.Data.TenantID},
		{"data.otpContext.identifier", &in.Data.OTP.Identifier}, {"data.otpContext.oneTimeCode", &in.Data.OTP.Code},
	}
	for _, r := range required {
		if r.text.mistyped {
			return &DecodeError{WrongType, r.path}
		}
		if r.text.conflicting {
			return &DecodeError{Conflicting, r.path}
		}
	}
	event, callout := in.Type.value, in.Data.Type.value
	switch {
	case event == "" && callout == "":
		return &DecodeError{Missing, "type"}
	case event != "" && !sameType(event, EventType):
		return &DecodeError{WrongEvent, "type"}
	case callout != "" && !sameType(callout, CalloutType):
		return &DecodeError{WrongEvent, "data.@odata.type"}
	}
	for _, r := range required[2:] {
		if r.text.value == "" {
			return &DecodeError{Missing, r.path}
		}
	}
	return nil
}

func (in *loose) event() Event {
	data, about := &in.Data, &in.Data.Context.value
	return Event{
		Source:   in.Source.value,
		TenantID: data.TenantID.value, ListenerID: data.ListenerID.value, ExtensionID: data.ExtensionID.value,
		Identifier: data.OTP.Identifier.value, Code: data.OTP.Code.value,
		CorrelationID: about.CorrelationID.value, Protocol: about.Protocol.value, RequestType: about.RequestType.value,
		Client: Client{IP: about.Client.value.IP.value, Locale: about.Client.value.Locale.value,
			Market: about.Client.value.Market.value},
		Application: about.Application.value.principal(),
		Resource:    about.Resource.value.principal(),
	}
}
