import { describe, expect, it } from "vitest";

import { exportCsv } from "@/pages/debugger/nodes/export-rows";

import { pair, row } from "./rows";

describe("CSV", () => {
  it("has a line for each row, with the table's flag", () => {
    const text = exportCsv([row("attn_L9_3@3:1", 1.19), row("embed@1", 2)], 1, [
      new Map([["attn_L9_3@3:1", 0.59]]),
    ]);
    const [header, head, embed] = text.split("\r\n");
    expect(header).toBe(
      "node,component,kind,layer,index,position,token,key_position,key_token," +
        "activation,write_magnitude,direct_effect,total_effect,measured_effect,flag",
    );
    expect(head).toBe("attn_L9_3@3:1,attn_L9_3,attn,9,3,3, John,1, Mary,0.5,1,0,1.19,0.59,≠");
    expect(embed).toBe("embed@1,embed,embed,,,1, Mary,,,,1,0,2,,");
  });

  it("names the sides of a comparison", () => {
    const text = exportCsv([pair("mlp_L1_1@1", 1, null)], 2, [new Map(), new Map()]);
    expect(text).toContain("left_total_effect");
    expect(text.split("\r\n")[1]).toMatch(/,0.5,1,0,1,,,,,,,,$/);
  });

  it("quotes tokens, and lets none run as a formula", () => {
    const text = exportCsv([row("embed@4", 1)], 1, [new Map()]);
    expect(text).toContain('"\n"');
    const formula = { ...row("embed@0", 1), token: { text: '=1+",', position: 0 } };
    expect(exportCsv([formula], 1, [new Map()])).toContain(`"'=1+"","`);
  });
});
