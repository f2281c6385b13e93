using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Concertina.Tidy.Tests;

/// <summary>How long one method, constructor, operator, accessor or local function is.</summary>
/// <param name="Name">Its name.</param>
/// <param name="FirstLine">Its first line, from 1; attributes belong to it, doc comments do not.</param>
/// <param name="Lines">Lines from the first to the last.</param>
internal sealed record MethodLength(string Name, int FirstLine, int Lines)
{
    public static IEnumerable<MethodLength> In(string source)
    {
        SyntaxNode root = CSharpSyntaxTree.ParseText(source).GetRoot();
        return root.DescendantNodes().Select(node => (Node: node, Name: NameOf(node))).Where(found => found.Name is not null)
            .Select(found => Measure(found.Node, found.Name!));
    }

    private static string? NameOf(SyntaxNode node) => node switch
    {
        MethodDeclarationSyntax method => method.Identifier.Text,
        LocalFunctionStatementSyntax function => function.Identifier.Text,
        ConstructorDeclarationSyntax constructor => constructor.Identifier.Text,
        AccessorDeclarationSyntax accessor => accessor.Keyword.Text,
        OperatorDeclarationSyntax operation => operation.OperatorToken.Text,
        _ => null,
    };

    private static MethodLength Measure(SyntaxNode node, string name)
    {
        LinePositionSpan lines = node.SyntaxTree.GetLineSpan(node.Span).Span;
        return new MethodLength(name, lines.Start.Line + 1, lines.End.Line - lines.Start.Line + 1);
    }
}
