/** How the gate begins what it tells a client, so that nobody takes its word for the model's. */
export const WHO = "Headgate (the gate in front of the model):";
