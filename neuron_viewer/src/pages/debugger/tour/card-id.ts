/** Names the card, so that the button that starts the tour can lead back to it. */
export const CARD_ID = "tour-card";
