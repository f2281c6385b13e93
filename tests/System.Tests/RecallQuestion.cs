namespace Concertina.System.Tests;

/// <summary>A question; an answer is right when it contains the value.</summary>
internal sealed record RecallQuestion(string Text, string Value);
