namespace Concertina.Compute.Evaluation;

/// <summary>Right answers to the questions about documents of one length.</summary>
/// <param name="Length">Nominal tokens of the documents.</param>
/// <param name="Asked">Questions.</param>
/// <param name="Recall">Share answered rightly on the rung.</param>
/// <param name="RecallDelta">The same less that of the lossless run.</param>
public sealed record RecallAtLength(int Length, int Asked, double Recall, double RecallDelta);
