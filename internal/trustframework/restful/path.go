package restful

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// maxSteps bounds a path.
const maxSteps = 32

// parsePath reads a path into an answer, such as data[0].to[0].email, data.0.to.0.email or elements[0].handle~.name
// (restful-technical-profile.md, ResolveJsonPathsInJsonTokens). Its errors go on from what the path is of.
func parsePath(path string) ([]string, error) {
	var steps []string
	for _, part := range strings.Split(strings.TrimPrefix(path, "$."), ".") {
		name, rest, indexed := strings.Cut(part, "[")
		if name != "" {
			steps = append(steps, name)
		}
		for indexed {
			index, after, closed := strings.Cut(rest, "]")
			if _, err := strconv.ParseUint(index, 10, 16); err != nil || !closed {
				return nil, errors.New("is not a path such as data[0].to[0].email")
			}
			steps = append(steps, index)
			if after != "" && after[0] != '[' {
				return nil, errors.New("is not a path such as data[0].to[0].email")
			}
			rest, indexed = strings.CutPrefix(after, "[")
		}
		if part == "" {
			return nil, errors.New("has two dots with nothing between, or one at its end")
		}
	}
	if len(steps) > maxSteps {
		return nil, errors.New("has more than " + strconv.Itoa(maxSteps) + " steps")
	}
	return steps, nil
}

// walk follows a path. A step into a list is a number, from 0.
func walk(object map[string]json.RawMessage, path string) (json.RawMessage, bool) {
	steps, err := parsePath(path)
	if err != nil || len(steps) == 0 {
		return nil, false
	}
	here, there := member(object, steps[0])
	for _, step := range steps[1:] {
		if !there {
			return nil, false
		}
		here, there = inside(here, step)
	}
	return here, there
}

func inside(here json.RawMessage, step string) (json.RawMessage, bool) {
	var list []json.RawMessage
	if json.Unmarshal(here, &list) == nil {
		i, err := strconv.Atoi(step)
		if err != nil || i < 0 || i >= len(list) {
			return nil, false
		}
		return list[i], true
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(here, &object) != nil {
		return nil, false
	}
	return member(object, step)
}

// member finds a member of an object by its name, and if there is none, without case. Whether B2C looks at case is
// UNCONFIRMED; two that differ in case alone are told apart.
func member(object map[string]json.RawMessage, name string) (json.RawMessage, bool) {
	if raw, there := object[name]; there {
		return raw, true
	}
	found, raw := 0, json.RawMessage(nil)
	for key, value := range object {
		if strings.EqualFold(key, name) {
			found, raw = found+1, value
		}
	}
	return raw, found == 1
}
