/** Preloaded into a service by NODE_OPTIONS: a bug that a signal sets off. */
process.on("SIGUSR2", () => {
  void Promise.reject(new Error("a rejection that nobody handles"));
});
