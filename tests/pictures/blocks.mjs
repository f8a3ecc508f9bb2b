// Reads {people, messages: {name: {blocks, at}}} from its input, writes {css, pages: {name: HTML}}.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";

const require = createRequire(import.meta.url);
const { Message } = require("slack-blocks-to-jsx");
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const DAY = 86400;
const LOGO =
  "data:image/svg+xml," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><rect width="36" height="36" fill="#163d5c"/>' +
      '<path d="M6 20h5l3-9 6 15 4-10 2 4h4" fill="none" stroke="#fff" stroke-width="2.5" stroke-linejoin="round"/></svg>',
  );

// What Slack shows a reader in UTC: https://docs.slack.dev/messaging/formatting-message-text#date-formatting
function shownDate(now, { timestamp, format }) {
  const moment = new Date(timestamp * 1000);
  const clock = moment.toISOString().slice(11, 19);
  const days = Math.floor(timestamp / DAY) - Math.floor(now / DAY);
  const date = `${MONTHS[moment.getUTCMonth()]} ${moment.getUTCDate()}, ${moment.getUTCFullYear()}`;
  const day = { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days] ?? date;
  return format
    .replace("{date_short_pretty}", day)
    .replace("{time_secs}", clock)
    .replace("{time}", clock.slice(0, 5));
}

function html({ blocks, at }, data) {
  const time = new Date(at * 1000);
  const hooks = { date: (date) => shownDate(at, date) };
  const message = { blocks, name: "trainstatus", logo: LOGO, time, theme: "light", data, hooks };
  // The renderer escapes once too often inside of code.
  return renderToStaticMarkup(createElement(Message, message)).replaceAll("&amp;amp;", "&amp;");
}

const { people, messages } = JSON.parse(readFileSync(0, "utf8"));
const users = Object.entries(people).map(([id, name]) => ({ id, name }));
const data = { users, channels: [], user_groups: [] };
const css = readFileSync(require.resolve("slack-blocks-to-jsx").replace(/[^/]*$/, "style.css"), "utf8");
const pages = Object.entries(messages).map(([name, message]) => [name, html(message, data)]);
process.stdout.write(JSON.stringify({ css, pages: Object.fromEntries(pages) }));
