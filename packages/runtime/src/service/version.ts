/** The version of the program, as processes tell it to each other. */
export const VERSION = "0.1.0";
