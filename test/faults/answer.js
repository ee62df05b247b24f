// The child's side of a fault point: it tells where it is, and waits. A job and its event may wait at two points at once, so that
// each answer names its point.
exports.answerTo = (point) =>
  new Promise((resolve) => {
    const onAnswer = (answer) => {
      if (answer.point !== point) return;
      process.off('message', onAnswer);
      resolve(answer.order);
    };
    process.on('message', onAnswer);
    process.send({ point });
  });
