import { describe, expect, it } from "vitest";

import vectors from "../../../tests/node_names.json";
import { componentOf, parseComponent, parseNode } from "./node";

describe("the shared name vectors", () => {
  it.each(vectors.components)("reads the component $name", (expected) => {
    expect(parseComponent(expected.name)).toEqual(expected);
  });

  it.each(vectors.nodes)("reads the node $name", ({ name, component, position, key_position }) => {
    const node = parseNode(name);
    expect(node?.component.name).toBe(component);
    expect(node?.position).toBe(position);
    expect(node?.keyPosition).toBe(key_position);
    expect(componentOf(name)).toBe(component);
  });

  it.each(vectors.bad_components)("refuses the component %j", (name) => {
    expect(parseComponent(name)).toBeNull();
  });

  it.each(vectors.bad_nodes)("refuses the node %j", (name) => {
    expect(parseNode(name)).toBeNull();
  });
});
