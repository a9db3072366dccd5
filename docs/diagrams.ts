/*
 * The state diagrams of the documentation, drawn from the tables that the machines themselves obey. A fence names its
 * machine,
 *
 *     ```mermaid machine="registration"
 *
 * and sync-snippets.ts fills it.
 */
import { reconnectionTransitions } from "../packages/core/src/charge-point/reconnection.ts";
import { permissions, registrationTransitions } from "../packages/core/src/charge-point/registration.ts";

/** What leads from each state to which other; the first state is where a machine begins. */
type Transitions = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * Draws a state diagram in Mermaid.
 *
 * @param notes - Lines to be shown beside a state, by its name.
 */
export function stateDiagram(transitions: Transitions, notes: Readonly<Record<string, readonly string[]>> = {}) {
  const [first] = Object.keys(transitions);
  return [
    "stateDiagram-v2",
    `  [*] --> ${first}`,
    ...Object.entries(transitions).flatMap(([from, events]) =>
      Object.entries(events).map(([event, to]) => `  ${from} --> ${to}: ${event}`),
    ),
    ...Object.entries(notes).flatMap(([state, lines]) => [
      `  note right of ${state}`,
      ...lines.map((line) => `    ${line}`),
      "  end note",
    ]),
  ];
}

const calls = {
  boot: "sends BootNotification",
  triggered: "sends BootNotification, and what is triggered",
  all: "sends everything",
} as const;

const permissionNotes = Object.fromEntries(
  Object.entries(permissions).map(([state, permission]) => [
    state,
    [calls[permission.calls], permission.answers ? "answers CALLs" : "does not answer CALLs"],
  ]),
);

/** The lines of each diagram, by the name of its machine. */
export const diagrams: Readonly<Record<string, readonly string[]>> = {
  registration: stateDiagram(registrationTransitions, permissionNotes),
  reconnection: stateDiagram(reconnectionTransitions),
};
