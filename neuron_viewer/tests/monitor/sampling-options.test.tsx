/** A setting is entered without sending the message beside it. */
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import { Composer } from "@/pages/monitor/conversation/composer";
import { SamplingOptions } from "@/pages/monitor/conversation/sampling-options";
import { DEFAULT_SAMPLING } from "@/pages/monitor/monitor-state";

it("takes a number by Enter, and sends nothing", async () => {
  const user = userEvent.setup();
  const onSend = vi.fn(() => Promise.resolve());
  const onChange = vi.fn();
  render(
    <Composer isChat prompt={null} isWriting={false} onSend={onSend} onStop={() => {}}>
      <SamplingOptions sampling={DEFAULT_SAMPLING} onChange={onChange} />
    </Composer>,
  );
  await user.type(screen.getByLabelText("Message"), "half a mess");
  await user.clear(screen.getByLabelText("seed"));
  await user.type(screen.getByLabelText("seed"), "7{Enter}");
  expect(onChange).toHaveBeenCalledWith({ ...DEFAULT_SAMPLING, seed: 7 });
  expect(onSend).not.toHaveBeenCalled();
  await user.type(screen.getByLabelText("Message"), "age{Enter}");
  expect(onSend).toHaveBeenCalledWith("half a message");
});
