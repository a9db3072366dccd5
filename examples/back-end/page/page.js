// @ts-check
/*
 * The live page. The server tells everything once, and then what changes.
 *
 * Whatever comes from a charger is written with textContent: it is text, whatever it looks like.
 */

export {}; // So that it is a module to the compiler, too, with names of its own.

/** @typedef {import("../live.ts").LiveCharger} Charger */
/** @typedef {import("../live.ts").LiveFrame} Frame */
/** @typedef {Charger["connectors"][number]} Connector */

/** How many frames are shown; older ones go. */
const frameCount = 200;

/** @type {Map<string, Charger>} */
const chargers = new Map();
/** @type {Frame[]} */
let frames = [];
/**
 * What has come while the frames stand still: to be shown after them, or, after a reconnect, instead of them.
 * @type {{ frames: Frame[], instead: boolean }}
 */
let waiting = { frames: [], instead: false };
let paused = false;

const list = element("#chargers");
const log = element("#frames");
const of = /** @type {HTMLSelectElement} */ (element("#of"));
const pause = element("#pause");

const live = new EventSource("live");
live.addEventListener("open", () => say("Live"));
live.addEventListener("error", () => say("Disconnected, trying again"));
live.addEventListener("everything", ({ data }) => {
  /** @type {{ chargers: Charger[], frames: Frame[] }} */
  const everything = JSON.parse(data);
  const chosen = of.value;
  chargers.clear();
  list.replaceChildren();
  of.length = 1;
  show(everything.chargers);
  of.value = chargers.has(chosen) ? chosen : "";
  if (paused) waiting = { frames: everything.frames, instead: true };
  else refill(everything.frames);
});
live.addEventListener("changes", ({ data }) => {
  /** @type {{ chargers: Charger[], frames: Frame[] }} */
  const changes = JSON.parse(data);
  show(changes.chargers);
  if (paused) waiting.frames = [...waiting.frames, ...changes.frames].slice(-frameCount);
  else append(changes.frames);
});

of.addEventListener("change", () => refill(frames));
pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  pause.textContent = paused ? "Go on" : "Pause";
  if (waiting.instead) refill(waiting.frames);
  else append(waiting.frames);
  waiting = { frames: [], instead: false };
});

/** @param {string} state */
function say(state) {
  const { classList } = document.body;
  classList.toggle("live", state === "Live");
  element("#state").textContent = state;
}

/**
 * Shows chargers as they are now.
 * @param {Charger[]} changed
 */
function show(changed) {
  for (const charger of changed) {
    const known = chargers.has(charger.identity);
    chargers.set(charger.identity, charger);
    const item = card(charger);
    if (known) list.querySelector(`[data-identity="${CSS.escape(charger.identity)}"]`)?.replaceWith(item);
    else insert(item, charger.identity);
  }
  const online = [...chargers.values()].filter((charger) => charger.online);
  const charging = online.flatMap(({ connectors }) => connectors).filter(({ transaction }) => transaction !== null);
  element("#summary").textContent =
    `${online.length} of ${chargers.size} online, ${charging.length} ${charging.length === 1 ? "car charges" : "cars charge"}`;
  element("#nobody").hidden = chargers.size > 0;
}

/**
 * Puts a new charger where its identity belongs.
 * @param {HTMLElement} item
 * @param {string} identity
 */
function insert(item, identity) {
  const items = Array.from(/** @type {HTMLCollectionOf<HTMLElement>} */ (list.children));
  const next = items.find(({ dataset }) => (dataset.identity ?? "").localeCompare(identity) > 0);
  list.insertBefore(item, next ?? null);
  const option = new Option(identity, identity);
  of.insertBefore(option, Array.from(of.options).find(({ value }) => value.localeCompare(identity) > 0) ?? null);
}

/** @param {Charger} charger */
function card(charger) {
  const { chargePointVendor, chargePointModel, connectors, firmwareVersion, identity, lastSeenAt, online } = charger;
  const item = clone("#charger");
  item.dataset.identity = identity;
  item.classList.toggle("offline", !online);
  write(item, ".identity", identity);
  write(
    item,
    ".online",
    online ? "online" : `offline${lastSeenAt === null ? "" : ` since ${day(lastSeenAt)}${time(lastSeenAt)}`}`,
  );
  const about = [chargePointVendor, chargePointModel, firmwareVersion].filter((text) => text !== null);
  write(item, ".about", about.join(" · "));
  write(item, ".registration", registration(charger));
  element(".connectors", item).append(...connectors.map(connector));
  return item;
}

/**
 * What the operator should know about a charger that is not accepted.
 * @param {Charger} charger
 */
function registration({ admission, registration }) {
  if (registration === "Accepted") return "";
  if (registration === null) return "has not booted here yet";
  return admission === "Accepted" ? "will be accepted when it boots" : `registration ${registration}`;
}

/** @param {Connector} connector */
function connector({ connectorId, errorCode, info, status, transaction }) {
  const item = clone("#connector");
  item.dataset.status = status;
  write(item, ".id", connectorId === 0 ? "charger" : String(connectorId));
  write(item, ".status", status);
  write(item, ".error", errorCode === "NoError" ? "" : [errorCode, info].filter(Boolean).join(": "));
  write(item, ".energy", transaction === null ? "" : kilowattHours(transaction.energyWh));
  write(
    item,
    ".transaction",
    transaction === null ? "" : `transaction ${transaction.transactionId} · ${transaction.idTag}`,
  );
  return item;
}

/** @param {number | null} energyWh */
function kilowattHours(energyWh) {
  return energyWh === null ? "energy unknown" : `${(energyWh / 1000).toFixed(2)} kWh`;
}

/**
 * Shows these frames and no others.
 * @param {Frame[]} all
 */
function refill(all) {
  frames = [];
  log.replaceChildren();
  append(all);
}

/**
 * Shows frames below those that are there, and keeps the last in sight if it was.
 * @param {Frame[]} added
 */
function append(added) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  for (const frame of added) {
    frames.push(frame);
    if (of.value === "" || of.value === frame.identity) log.append(line(frame));
  }
  frames = frames.slice(-frameCount);
  while (log.childElementCount > frameCount) log.firstElementChild?.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

/** @param {Frame} frame */
function line(frame) {
  const { direction, identity, payload, title, type } = frame;
  const item = clone("#frame");
  item.dataset.type = type;
  item.dataset.direction = direction;
  const when = element("time", item);
  when.textContent = time(frame.time);
  when.setAttribute("datetime", frame.time);
  write(item, ".from", direction === "in" ? `${identity} →` : `→ ${identity}`);
  write(item, ".title", type === "CALL" ? title : `${actionOf(frame)} ${type === "CALLERROR" ? title : "✓"}`.trim());
  write(item, ".payload", payload);
  return item;
}

/**
 * The action that an answer is about, if its CALL is still known.
 * @param {Frame} answer
 */
function actionOf({ direction, identity, messageId }) {
  const calls = frames.filter(
    (frame) =>
      frame.type === "CALL" &&
      frame.messageId === messageId &&
      frame.identity === identity &&
      frame.direction !== direction,
  );
  return calls.at(-1)?.title ?? "";
}

/**
 * The day of a moment that was not today.
 * @param {string} moment
 */
function day(moment) {
  const date = new Date(moment);
  return date.toDateString() === new Date().toDateString() ? "" : `${date.toLocaleDateString()}, `;
}

/** @param {string} moment */
function time(moment) {
  return new Date(moment).toLocaleTimeString([], { hour12: false });
}

/**
 * @param {string} selector
 * @param {ParentNode} within
 * @returns {HTMLElement}
 */
function element(selector, within = document) {
  const found = within.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`The page has no ${selector}.`);
  return found;
}

/** @param {string} template */
function clone(template) {
  const { content } = /** @type {HTMLTemplateElement} */ (element(template));
  return /** @type {HTMLElement} */ (content.firstElementChild?.cloneNode(true));
}

/**
 * @param {HTMLElement} item
 * @param {string} selector
 * @param {string} text
 */
function write(item, selector, text) {
  const part = element(selector, item);
  part.textContent = text;
  part.hidden = text === "";
}
