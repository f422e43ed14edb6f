import { expect, test } from "vitest";

import { unbroken } from "@/lib/unbroken";

test("spaces within quoted tokens do not break, all others do", () => {
  expect(unbroken("fires on ' on', 'a b' and 3 other tokens")).toBe("fires on '\u00a0on', 'a\u00a0b' and 3 other tokens");
  expect(unbroken("fires on ' don't' after ' ''")).toBe("fires on '\u00a0don't' after '\u00a0''");
  expect(unbroken("the speaker's own words' ends")).toBe("the speaker's own words' ends");
});
